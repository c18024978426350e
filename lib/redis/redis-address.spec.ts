import { describe, expect, it } from '@jest/globals';
import { redisAddress } from './redis-address.js';

describe('The address of a Redis pool', () => {
  it.each([
    [{}, 'localhost:6379'],
    [{ url: 'rediss://app:hush@redis.internal:6380/2' }, 'redis.internal:6380/2'],
    [{ url: 'redis://[::1]:6380' }, '[::1]:6380'],
    [{ url: 'unix:///run/redis.sock?db=1&password=hush' }, '/run/redis.sock/1'],
    [{ url: 'redis://:hush@one', connection: { host: 'two', port: 1, db: 0 } }, 'two:1'],
    [
      {
        connection: {
          sentinels: [{ host: 'a' }, { host: 'b', port: 1 }],
          name: 'mymaster',
          password: 'hush',
        },
      },
      '"mymaster" of sentinels a:26379, b:1',
    ],
    [
      {
        cluster: {
          nodes: [7000, { host: 'a', port: 7001 }, 'redis://:hush@b:7002/0', ':hush@c:7003', 'redis://d'],
        },
        connection: { password: 'hush' },
      },
      'cluster of localhost:7000, a:7001, b:7002, c:7003, d',
    ],
  ])('is what to look at, without a secret', (options, address) => {
    expect(redisAddress(options)).toBe(address);
  });
});
