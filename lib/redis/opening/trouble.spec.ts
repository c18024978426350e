import { describe, expect, it } from '@jest/globals';
import { ReplyError as IoredisReplyError } from 'ioredis';
import { FakeRedisClient } from '../redis-client.fake.js';
import { Trouble } from './trouble.js';

const ReplyError = IoredisReplyError as new (message: string) => Error;

function troubled(options = {}) {
  const client = new FakeRedisClient(options);
  return { client, trouble: new Trouble(client.asRedis) };
}

/** ioredis is connected and has sent its first command, which is answered by `promise`. */
function greet(client: FakeRedisClient, promise: Promise<unknown>): void {
  client.status = 'connect';
  client.commandQueue.push({ command: { name: 'hello', promise } });
  client.emit('connect');
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
    greet(plain.client, new Promise(() => undefined));
    expect(plain.trouble.cause?.message).toContain('is it a Redis server?');

    const secure = troubled({ tls: {} });
    void secure.client.connect();
    expect(secure.trouble.cause?.message).toBe('the server does not accept the connection');
    secure.client.stream.connecting = false;
    expect(secure.trouble.cause?.message).toContain('does not answer the TLS handshake');
    expect(secure.trouble.exists).toBe(false);
  });

  it('is that the server is loading when all is answered and ioredis still waits', () => {
    const { client, trouble } = troubled();
    client.moveTo('connect');
    expect(trouble.cause?.message).toContain('still loading its data');
  });

  it('is what the server said to the first command, when it hung up after that', async () => {
    const { client, trouble } = troubled();
    const promise = Promise.reject(new ReplyError('ERR max number of clients reached'));
    greet(client, promise);
    await promise.catch(() => undefined);
    client.lose(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    expect(trouble.cause?.message).toMatch(/as many clients as it accepts .*max number of clients reached/);

    client.moveTo('connecting');
    client.lose();
    expect(trouble.cause?.message).toContain('as many clients as it accepts');
  });

  it('is told in words', () => {
    const { client, trouble } = troubled();
    client.lose(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }));
    expect(trouble.cause).toMatchObject({
      message: expect.stringMatching(
        /^nobody listens there; .* \(connect ECONNREFUSED 127\.0\.0\.1:1\)$/,
      ) as unknown,
      code: 'ECONNREFUSED',
    });
  });
});
