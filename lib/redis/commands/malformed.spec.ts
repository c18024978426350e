import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { refuseMalformed, refuseMalformedChains } from './malformed.js';

/** An object without a prototype cannot be made a string. */
const malformed = Object.create(null) as string;

type Callback = (error?: Error | null) => void;

const CALLS: [how: string, call: (client: Redis, callback: Callback) => unknown][] = [
  ['a command', (client, callback) => client.set('key', malformed, callback)],
  ['a pipeline', (client, callback) => client.pipeline().set('key', malformed).exec(callback)],
  ['a transaction', (client, callback) => client.multi().set('key', malformed).exec(callback)],
  ['a script', (client, callback) => client.eval('return 1', 1, 'key', malformed, callback)],
];

describe.each([
  ['without a key prefix', ''],
  ['with a key prefix', 'app:'],
])('A malformed argument %s', (_, keyPrefix) => {
  const unheard = jest.fn();
  let client: Redis;

  beforeEach(() => {
    client = new Redis({ lazyConnect: true, keyPrefix });
    refuseMalformed(client, 'cache');
    refuseMalformedChains(client, 'cache');
    process.on('unhandledRejection', unheard);
  });
  afterEach(() => {
    process.off('unhandledRejection', unheard);
    client.disconnect();
    unheard.mockReset();
  });

  it.each(CALLS)(
    'of %s is told to its callback once, and need not be heard a second time',
    async (_, call) => {
      const callback = jest.fn<Callback>();
      void call(client, callback);
      expect(callback).not.toHaveBeenCalled();
      await new Promise(setImmediate);
      expect(callback.mock.calls).toEqual([[expect.any(Error)]]);
      expect(unheard).not.toHaveBeenCalled();
      expect(client.status).toBe('wait'); // nothing was sent
    },
  );

  it.each(CALLS)('of %s is told by its promise', async (_, call) => {
    const refused = call(client, undefined as never);
    await expect(refused).rejects.toMatchObject({ code: 'ERR_POOL_COMMAND_REFUSED' });
  });
});
