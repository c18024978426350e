import { describe, expect, it } from '@jest/globals';
import { withoutSecrets } from './without-secrets.js';

describe('A text without secrets', () => {
  it.each([
    ['connect redis://app:hush@db:6379/0 failed', 'connect redis://***@db:6379/0 failed'],
    ['connect rediss://:hush%40hush@db failed', 'connect rediss://***@db failed'],
    ['postgres+ssl://app:hu@sh@db/name', 'postgres+ssl://***@db/name'],
    [
      'unix:///run/redis.sock?db=1&password=hush&username=app',
      'unix:///run/redis.sock?db=1&password=***&username=app',
    ],
    ['refused (user=app password="hu sh", host=db)', 'refused (user=app password=***, host=db)'],
    ['{"token": "hush", "port": 1}', '{"token": ***, "port": 1}'],
  ])('shows %j as %j', (text, shown) => expect(withoutSecrets(text)).toBe(shown));

  it.each([
    'connect ECONNREFUSED 127.0.0.1:6379',
    'see https://redis.io/docs',
    'mail ops@example.org',
    'the server refuses this user or password; check both',
  ])('leaves %j as it is', (text) => expect(withoutSecrets(text)).toBe(text));
});
