import { describe, expect, it } from '@jest/globals';
import { FakeRedisClient } from './redis-client.fake.js';
import { Trouble } from './trouble.js';

function troubled(options = {}) {
  const client = new FakeRedisClient(options);
  return { client, trouble: new Trouble(client.asRedis) };
}

describe('Why a connection is not ready', () => {
  it('is told by its last error, until it is ready', () => {
    const { client, trouble } = troubled();
    client.lose(new Error('connect ECONNREFUSED'));
    expect(trouble).toMatchObject({ exists: true, cause: new Error('connect ECONNREFUSED') });
    client.becomeReady();
    expect(trouble).toMatchObject({ exists: false, cause: undefined });
    client.lose();
    expect(trouble.cause).toEqual(new Error('the server closed the connection'));
  });

  it.each([
    ['without a word', undefined],
    ['with a reset', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })],
  ])('is guessed when the server hangs up before it answered, %s', (_how, error) => {
    const { client, trouble } = troubled();
    client.lose(error);
    expect(trouble.cause).toMatchObject({
      message: expect.stringContaining('does it speak TLS') as unknown,
      cause: error,
    });
  });

  it('is guessed from how far it came', () => {
    const plain = troubled();
    void plain.client.connect();
    expect(plain.trouble.cause?.message).toBe('the server does not accept the connection');
    plain.client.moveTo('connect');
    expect(plain.trouble.cause?.message).toContain('is it a Redis server?');

    const secure = troubled({ tls: {} });
    void secure.client.connect();
    expect(secure.trouble.cause?.message).toBe('the server does not accept the connection');
    secure.client.stream.connecting = false;
    expect(secure.trouble.cause?.message).toContain('does not answer the TLS handshake');
    expect(secure.trouble.exists).toBe(false);
  });
});
