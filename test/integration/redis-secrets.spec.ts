import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { PoolEvent } from '../../lib/core/pool.events.js';
import type { RedisConnection } from '../../lib/redis/redis-connection.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { useRedisServer } from '../support/redis-server.js';

const RIGHT = 'right-horse-battery';
const WRONG = 'wrong-horse-battery';

const server = useRedisServer({ password: RIGHT });

const shown: string[] = [];
const pools: RedisPool[] = [];

/** Keeps everything that anybody could log of a value. */
function show(value: unknown): void {
  shown.push(inspect(value, { depth: Infinity, showHidden: true }), String(value));
}

function poolOf(password: string, options: Partial<RedisPoolOptions> = {}): RedisPool {
  const url = `redis://default:${password}@127.0.0.1:${server.port}`;
  const pool = new RedisPool('cache', { type: 'redis', url, acquireTimeoutMs: 100, ...options });
  pool.events$.subscribe((event: PoolEvent) => show(event));
  pools.push(pool);
  return pool;
}

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  show(error);
  return error;
}

/** What was shown, and whatever the pools show now, holds no password. */
async function expectNoSecret(): Promise<void> {
  for (const pool of pools.splice(0)) {
    show(pool);
    show(pool.commands);
    show(pool.stats());
    show(await pool.drain());
  }
  const all = shown.splice(0).join('\n');
  expect(all).toContain('cache');
  expect(all).not.toMatch(/horse/);
}

describe('No password is shown', () => {
  afterEach(expectNoSecret);

  it.each([
    ['shared connections', { shared: 1 }],
    ['leases', { shared: 0 }],
  ])('when the server refuses it, by %s', async (_how, limits) => {
    const pool = poolOf(WRONG, limits);
    await errorOf(pool.start({ timeoutMs: 50 }));
    await expect(errorOf(pool.commands.get('key'))).resolves.toMatchObject({
      cause: {
        message: expect.stringContaining('WRONGPASS') as unknown,
        cause: { command: { name: 'hello', args: [] } },
      },
    });
    await errorOf(pool.acquire());
    await errorOf(pool.ping({ timeoutMs: 50 }));
  });

  it('when the server is of the time before HELLO', async () => {
    await errorOf(poolOf(WRONG, { connection: { protocol: 2 } }).start({ timeoutMs: 50 }));
  });

  it('when the server is not there, or there is no such option', async () => {
    const url = `redis://default:${RIGHT}@127.0.0.1:1`;
    await errorOf(poolOf(RIGHT, { url }).start({ timeoutMs: 50 }));
    const options = {
      type: 'redis',
      url: `${url}/cache`,
      connection: { password: RIGHT, monitor: true },
    } as const;
    expect(() => new RedisPool('cache', options)).toThrow();
    await errorOf(Promise.resolve().then(() => new RedisPool('cache', options)));
    await errorOf(Promise.resolve().then(() => new RedisPool('cache', { ...options, url: `${RIGHT}@host` })));
  });

  it.each([
    ['shared connections', { shared: 1 }],
    ['leases', { shared: 0 }],
  ])('when credentials() gives it, by %s', async (_how, limits) => {
    const url = `redis://127.0.0.1:${server.port}`;
    const pool = poolOf('', { url, credentials: () => Promise.resolve({ password: RIGHT }), ...limits });
    await pool.start();
    pool.renew();
    await pool.commands.ping();

    let answer: unknown = { password: WRONG };
    const refused = poolOf('', { url, credentials: () => Promise.resolve(answer as never), ...limits });
    await errorOf(refused.start({ timeoutMs: 50 }));
    answer = { username: 5, password: RIGHT };
    await errorOf(refused.start({ timeoutMs: 50 }));
    await errorOf(refused.commands.get('key'));
  });

  it('while all is well', async () => {
    const pool = poolOf(RIGHT);
    await pool.start();
    await pool.use((redis) => redis.ping());
    await using lease = await pool.acquire();
    show(lease.acquiredAt);
    await errorOf(pool.commands.incr('a', 'b' as never));
  });

  it('by commands that are refused', async () => {
    const { commands } = poolOf(RIGHT);
    await errorOf(commands.auth(WRONG));
    await errorOf(commands.call('HELLO', 3, 'AUTH', 'default', WRONG));
    await errorOf(commands.pipeline().auth(WRONG).exec());
  });

  it('by commands whose arguments are secret', async () => {
    const pool = poolOf(RIGHT);
    await errorOf(pool.commands.acl('SETUSER', 'bob', `!${WRONG}`));
    await errorOf(pool.commands.call('CONFIG', 'SET', 'no-such-parameter', WRONG));
    await errorOf(pool.use((redis) => redis.auth('default', WRONG)));
    await errorOf(pool.use((redis) => redis.hello(3, 'AUTH', 'default', WRONG)));
    show(await pool.use((redis) => redis.pipeline().auth('default', WRONG).exec()));
  });

  it('by commands that are cut off', async () => {
    const pool = poolOf(RIGHT);
    const cut = async (redis: RedisConnection) => {
      const replies = redis.pipeline().blpop('nothing', 0).auth('default', WRONG).exec();
      redis.disconnect();
      show(await replies);
      throw new Error('cut off');
    };
    await errorOf(pool.use(cut));
  });
});
