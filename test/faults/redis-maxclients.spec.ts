import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { HASTY } from '../support/redis-load.js';
import { useRedisServer } from '../support/redis-server.js';
import { expectWholeAndDrain } from '../support/redis-whole.js';

jest.setTimeout(60_000);

const MAX_CLIENTS = 20;
const FULL = expect.stringContaining('max number of clients') as unknown;

const server = useRedisServer({ args: ['--maxclients', String(MAX_CLIENTS)] });

let pool: RedisPool;
const others: Redis[] = [];

function poolOf(options: Partial<RedisPoolOptions> = {}): RedisPool {
  pool = new RedisPool('cache', { type: 'redis', url: server.url, ...HASTY, ...options });
  return pool;
}

/** Connections of other applications. */
async function crowd(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) others.push(new Redis(server.url));
  await Promise.all(others.map((redis) => redis.ping()));
}

async function disperse(): Promise<void> {
  await Promise.all(others.splice(0).map((redis) => redis.quit()));
}

afterEach(async () => {
  await pool.drain({ timeoutMs: 0 });
  await disperse();
});

describe('A server at its maxclients', () => {
  it('is named as the cause to everybody who asks, and the pool fills itself when there is room', async () => {
    await crowd(MAX_CLIENTS);
    const { commands } = poolOf();
    await expect(pool.start({ timeoutMs: 1_000 })).rejects.toMatchObject({ cause: { message: FULL } });
    const asked = [
      commands.get('key'),
      commands.multi().get('key').exec(),
      commands.blpop('key', 1),
      pool.use((redis) => redis.get('key')),
      pool.ping(),
    ];
    for (const outcome of await Promise.allSettled(asked)) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: expect.stringMatching(/TIMEOUT|UNAVAILABLE/) as unknown, message: FULL },
      });
    }
    await disperse();
    await expectWholeAndDrain(pool, { server, shared: HASTY.shared });
  });

  it('is used as far as there is room: callers share what could be opened', async () => {
    await crowd(MAX_CLIENTS - 5);
    poolOf({ min: 0, acquireTimeoutMs: 10_000 });
    const words = Array.from({ length: 30 }, (_, index) => `word ${index}`);
    await pool.commands.echo('first'); // or nothing is left for what is shared
    const said = words.map((word) =>
      pool.use(async (redis) => {
        await sleep(5);
        return redis.echo(word);
      }),
    );
    await expect(Promise.all(said)).resolves.toEqual(words);
    await expect(Promise.all(words.map((word) => pool.commands.echo(word)))).resolves.toEqual(words);
    await disperse();
    await expectWholeAndDrain(pool, { server, shared: HASTY.shared });
  });
});
