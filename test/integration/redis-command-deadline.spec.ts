import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { eventually } from '../support/eventually.js';
import { useFaultProxy } from '../support/fault-proxy.js';
import { useRedisServer } from '../support/redis-server.js';

const server = useRedisServer();
const proxy = useFaultProxy(server);

const pools: RedisPool[] = [];
let raw: Redis;

beforeEach(async () => {
  raw = new Redis(server.url);
  await raw.flushall();
});

afterEach(async () => {
  server.kill('SIGCONT');
  await Promise.all(pools.splice(0).map((pool) => pool.drain({ timeoutMs: 100 })));
  await raw.quit();
});

/** A pool behind the proxy whose connections are open. */
async function poolOf(options: Omit<RedisPoolOptions, 'type'> = {}): Promise<RedisPool> {
  const pool = new RedisPool('cache', { type: 'redis', url: proxy.url, commandTimeoutMs: 200, ...options });
  pools.push(pool);
  await pool.start();
  return pool;
}

const unanswered = (name: string, cause: RegExp, ms = 200) => ({
  name: 'PoolUnavailableError',
  code: 'ERR_POOL_UNAVAILABLE',
  message: expect.stringContaining(`${name} was not answered within ${ms} ms: `) as unknown,
  cause: { message: expect.stringMatching(cause) as unknown },
});

const SILENT = /nothing came over the connection/;

describe('A command that is not answered in time', () => {
  it.each([
    ['the packets get lost', () => proxy.halfOpen()],
    ['the server hangs', () => void server.kill('SIGSTOP')],
  ])('is rejected when %s, and the connection is replaced', async (_how, fail) => {
    const pool = await poolOf();
    await pool.commands.set('key', 'value');
    fail();
    await expect(pool.commands.get('key')).rejects.toMatchObject(unanswered('GET', SILENT));
    server.kill('SIGCONT');
    await expect(pool.commands.get('key')).resolves.toBe('value');
    expect(pool.stats()).toMatchObject({ shared: 1, size: 1 });
  });

  it('is never told by its arguments', async () => {
    const pool = await poolOf();
    server.kill('SIGSTOP');
    const error: unknown = await pool.commands
      .set('secret-key', 'secret-value')
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject(unanswered('SET', SILENT));
    expect(JSON.stringify([error, String(error), (error as Error).cause])).not.toContain('secret');
  });

  it('is not sent again over the next connection, while one that has time left is', async () => {
    const pool = await poolOf({ commandTimeoutMs: 1_000 });
    proxy.stall();
    const late = expect(pool.commands.incr('count')).rejects.toMatchObject(unanswered('INCR', SILENT, 1_000));
    await sleep(700); // so long it has left for the next connection
    const inTime = pool.commands.incrby('count', 10);
    await late;
    proxy.reset(); // what was held is lost
    await proxy.heal();
    await expect(inTime).resolves.toBe(10);
    await expect(raw.get('count')).resolves.toBe('10');
  });

  it('is a whole pipeline or transaction, of which nothing is sent again', async () => {
    const pool = await poolOf({ commandTimeoutMs: 1_000 });
    proxy.stall();
    const error = (name: string) => unanswered(name, SILENT, 1_000);
    const late = [
      expect(pool.commands.pipeline().incr('count').get('count').exec()).resolves.toMatchObject([
        [error('INCR')],
        [error('GET')],
      ]),
      expect(pool.commands.multi().incr('count').exec()).rejects.toMatchObject(error('EXEC')),
    ];
    await sleep(700);
    const inTime = pool.commands.pipeline().incrby('count', 10).get('count').exec();
    await Promise.all(late);
    proxy.reset();
    await proxy.heal();
    await expect(inTime).resolves.toEqual([
      [null, 10],
      [null, '10'],
    ]);
    await expect(raw.get('count')).resolves.toBe('10');
  });

  it('tells why the connection was lost if the server is gone', async () => {
    const pool = await poolOf();
    proxy.stall();
    const late = expect(pool.commands.get('key')).rejects.toMatchObject({
      ...unanswered('GET', /ECONNREFUSED/),
      cause: { code: 'ECONNREFUSED' },
    });
    proxy.refuse();
    proxy.reset();
    await late;
  });

  it('may be a command over a lease, and whoever comes next gets no reply of its', async () => {
    const pool = await poolOf({ shared: 0 });
    await pool.commands.set('key', 'value');
    server.kill('SIGSTOP');
    await expect(pool.commands.get('key')).rejects.toMatchObject({
      code: 'ERR_POOL_UNAVAILABLE',
      message: expect.stringContaining('not answered within 200 ms') as unknown,
    });
    server.kill('SIGCONT');
    await expect(pool.commands.echo('hello')).resolves.toBe('hello');
  });

  it('can wait for ever if the pool is told so', async () => {
    const pool = await poolOf({ commandTimeoutMs: 0 });
    server.kill('SIGSTOP');
    const slow = pool.commands.get('key');
    await sleep(300);
    server.kill('SIGCONT');
    await expect(slow).resolves.toBeNull();
  });

  it('is none that blocks', async () => {
    const pool = await poolOf();
    const job = pool.commands.blpop('jobs', 0);
    await sleep(500);
    await raw.rpush('jobs', 'job');
    await expect(job).resolves.toEqual(['jobs', 'job']);
  });
});

describe('Replies that come late', () => {
  it('never reach another caller: the connection goes on, and each gets its own', async () => {
    const keys = Array.from({ length: 100 }, (_, at) => `key-${at}`);
    await raw.mset(keys.flatMap((key) => [key, `value of ${key}`]));
    const pool = await poolOf({ commandTimeoutMs: 600 });
    const [connection] = proxy.connections;
    const outcomes = { own: 0, foreign: 0, late: 0, other: 0 };
    let over = false;
    const caller = async (key: string) => {
      while (!over) {
        try {
          outcomes[(await pool.commands.get(key)) === `value of ${key}` ? 'own' : 'foreign'] += 1;
        } catch (error) {
          outcomes[String(error).includes('the server is busy') ? 'late' : 'other'] += 1;
        }
      }
    };
    const callers = keys.slice(1).map(caller);
    const ticker = setInterval(() => void pool.commands.get('key-0').catch(() => undefined), 10);
    for (const ms of [200, 400, 600, 800]) {
      proxy.delay(ms, 'toClient'); // step by step, so that something comes all the time
      await sleep(250);
    }
    await eventually('some are late', () => outcomes.late > 200);
    proxy.delay(0, 'toClient');
    const ownBefore = outcomes.own;
    await eventually('replies come in time again', () => outcomes.own > ownBefore + 500);
    over = true;
    clearInterval(ticker);
    await Promise.all(callers);
    expect(outcomes).toMatchObject({ foreign: 0, other: 0 });
    expect(proxy.connections).toEqual([connection]);
  });
});
