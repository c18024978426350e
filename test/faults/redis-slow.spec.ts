import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { PoolTimeoutError } from '../../lib/core/pool.errors.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { useFaultProxy } from '../support/fault-proxy.js';
import { useRedisServer } from '../support/redis-server.js';
import { expectWholeAndDrain } from '../support/redis-whole.js';

jest.setTimeout(60_000);

/** One second there and back. */
const ONE_WAY_MS = 500;

const SHARED = 2;

const server = useRedisServer();
const proxy = useFaultProxy(server);

let pool: RedisPool;

const farAway = (options: Partial<RedisPoolOptions> = {}): RedisPool => {
  proxy.delay(ONE_WAY_MS);
  pool = new RedisPool('cache', { type: 'redis', url: proxy.url, max: 10, shared: SHARED, ...options });
  return pool;
};

afterEach(() => pool.drain({ timeoutMs: 0 }));

/** So many words that are all different. */
const words = (count: number): string[] => Array.from({ length: count }, (_, index) => `word ${index}`);

describe('A server that is a second away', () => {
  it('is used as any other: nobody is late, and no connection is given up', async () => {
    const { commands } = farAway({ min: 8 });
    await pool.start();
    const [many, few] = [words(200), words(6)];
    await expect(
      Promise.all([
        Promise.all(many.map((word) => commands.echo(word))),
        Promise.all(few.map((word) => pool.use((redis) => redis.echo(word)))),
        commands.pipeline().echo('a').echo('b').exec(),
        commands.multi().set('key', 'value').get('key').exec(),
        commands.blpop('nothing', 0.01),
      ]),
    ).resolves.toEqual([many, few, [[null, 'a'], [null, 'b']], [[null, 'OK'], [null, 'value']], null]); // prettier-ignore
    expect(pool.stats()).toMatchObject({ destroyed: 0, timeouts: 0, createFailures: 0 });
    await expect(pool.drain()).resolves.toMatchObject({ clean: true, closeFailures: 0 });
  });

  it('is too slow for callers in a hurry, who are told so, and ready for those who come when it is', async () => {
    farAway({ acquireTimeoutMs: 100, validateAfterIdleMs: 60_000 });
    const refused = [pool.commands.echo('word'), pool.use((redis) => redis.echo('word'))];
    for (const outcome of await Promise.allSettled(refused)) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { reason: expect.stringMatching(/^(create-slow|event-loop-blocked)$/) },
      });
      expect(outcome).toHaveProperty('reason', expect.any(PoolTimeoutError));
    }
    await pool.start();
    await expect(pool.commands.echo('word')).resolves.toBe('word');
    await proxy.heal();
    await expectWholeAndDrain(pool, { server, proxy, shared: SHARED });
  });
});
