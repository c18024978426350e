import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { useRedisServer } from '../support/redis-server.js';

const server = useRedisServer();

let raw: Redis;

beforeEach(() => {
  raw = new Redis(server.url);
});

afterEach(() => raw.quit());

const poolOf = (options: Omit<RedisPoolOptions, 'type'> = {}) =>
  new RedisPool('cache', { type: 'redis', url: server.url, ...options });

/** The connections that the server has, besides that of the test. */
async function connectionsOnServer(): Promise<number> {
  return (
    String(await raw.client('LIST'))
      .trim()
      .split('\n').length - 1
  );
}

/** Resolves when so many connections block. */
async function blocked(count: number): Promise<void> {
  while (!(await raw.info('clients')).includes(`blocked_clients:${count}`)) await sleep(1);
}

describe.each([
  ['with shared connections', { max: 4, shared: 1 }],
  ['with leases alone', { max: 4, shared: 0 }],
])('A drain %s', (_how, limits) => {
  it('closes every connection', async () => {
    const pool = poolOf({ ...limits, min: 2 });
    await pool.start();
    await pool.commands.get('key');
    expect(await connectionsOnServer()).toBe(pool.stats().size);
    const { size } = pool.stats();
    await expect(pool.drain()).resolves.toMatchObject({
      pool: 'cache',
      clean: true,
      served: 0,
      rejected: 0,
      revoked: [],
      closed: size,
      closeFailures: 0,
    });
    expect(pool.stats()).toMatchObject({ state: 'closed', size: 0, shared: 0 });
    expect(await connectionsOnServer()).toBe(0);
  });

  it('lets commands in flight finish and refuses new ones at once', async () => {
    const pool = poolOf(limits);
    await pool.start();
    const slow = pool.commands.eval(
      `local start = redis.call('time'); local now = start
       repeat now = redis.call('time') until (now[1] - start[1]) * 1000000 + now[2] - start[2] > 50000
       return 'done'`,
      0,
    );
    const behind = pool.commands.pipeline().set('behind', 'yes').exec();
    if (limits.shared === 0) await pool.use(() => undefined); // both have their leases now
    const unsent = pool.commands.pipeline().set('unsent', 'yes');
    const drained = pool.drain();
    const closed = { code: 'ERR_POOL_CLOSED', pool: 'cache' };
    await expect(pool.commands.get('key')).rejects.toMatchObject(closed);
    await expect(pool.commands.blpop('list', 0)).rejects.toMatchObject(closed);
    await expect(unsent.exec()).rejects.toMatchObject(closed);
    await expect(pool.commands.multi().get('key').exec()).rejects.toMatchObject(closed);
    await expect(pool.ping()).rejects.toMatchObject(closed);
    await expect(slow).resolves.toBe('done');
    await expect(behind).resolves.toEqual([[null, 'OK']]);
    await expect(drained).resolves.toMatchObject({ clean: true });
  });

  it('ends commands that block, and does not wait for them', async () => {
    const pool = poolOf(limits);
    const closed = { code: 'ERR_POOL_CLOSED' };
    const ended = [
      expect(pool.commands.blpop('nothing', 0)).rejects.toMatchObject(closed),
      expect(pool.commands.xread('BLOCK', 0, 'STREAMS', 'nothing', '$')).rejects.toMatchObject(closed),
      // as ioredis has it, each command of a pipeline has an outcome of its own
      expect(pool.commands.pipeline().brpop('nothing', 0).exec()).resolves.toMatchObject([[closed]]),
    ];
    await blocked(3);
    const report = await pool.drain();
    await Promise.all(ended);
    expect(report).toMatchObject({ clean: true, revoked: [] });
    expect(report.durationMs).toBeLessThan(5_000);
    expect(await connectionsOnServer()).toBe(0);
  });

  it('takes leases that are late from their holders, though they block', async () => {
    const pool = poolOf(limits);
    const late = expect(pool.use((redis) => redis.blpop('nothing', 0))).rejects.toMatchObject({
      code: 'ERR_POOL_LEASE_BROKEN',
    });
    await blocked(1);
    const report = await pool.drain({ timeoutMs: 20 });
    await late;
    expect(report).toMatchObject({ clean: false, closeFailures: 0 });
    expect(report.revoked).toHaveLength(1);
    expect(await connectionsOnServer()).toBe(0);
  });

  it('may be asked for twice, and before anything was opened', async () => {
    const pool = poolOf(limits);
    const first = pool.drain();
    expect(pool.drain()).toBe(first);
    await expect(first).resolves.toMatchObject({ clean: true, closed: 0 });
  });
});

describe('endLongLivedWork()', () => {
  it('ends what blocks and those who wait to, and leaves the rest of the pool at work', async () => {
    const pool = poolOf({ max: 2 });
    const ended = [pool.commands.blpop('nothing', 0), pool.commands.blpop('nothing', 0)].map((command) =>
      expect(command).rejects.toMatchObject({ code: 'ERR_POOL_CLOSED' }),
    );
    await blocked(1);
    pool.endLongLivedWork();
    await Promise.all(ended);
    await expect(pool.commands.set('key', 'value')).resolves.toBe('OK');
    await expect(pool.use((redis) => redis.get('key'))).resolves.toBe('value');
    await expect(pool.commands.blpop('nothing', 0)).rejects.toMatchObject({ code: 'ERR_POOL_CLOSED' });
    await blocked(0);
    await pool.drain();
  });
});
