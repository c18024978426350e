import { expect } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RedisPool } from '../../lib/redis/redis-pool.js';
import { eventually } from './eventually.js';
import type { FaultProxy } from './fault-proxy.js';

/** Where a pool's connections can be counted besides in its own books. */
export interface Surroundings {
  /** The server, asked at a connection of its own. */
  readonly server: { readonly url: string };
  readonly proxy?: FaultProxy;
  /** How many connections the pool was told to share. */
  readonly shared: number;
}

/** It only ends a test that would hang. */
const PATIENCE_MS = 10_000;

/** How many connections the server has, without the one that asks. */
export async function connectionsAt({ url }: { readonly url: string }): Promise<number> {
  const redis = new Redis(url);
  try {
    const list = (await redis.client('LIST')) as string;
    return list.trim().split('\n').length - 1;
  } finally {
    await redis.quit();
  }
}

/**
 * A pool that nobody uses any more is full by itself, works, has what its books say and no more, and leaves nothing behind when it is
 * drained.
 */
export async function expectWholeAndDrain(pool: RedisPool, around: Surroundings): Promise<void> {
  await expectFull(pool, around.shared);
  await expectCounted(pool, around);
  await pool.start({ timeoutMs: 10_000 });
  await expect(pool.commands.echo('still there')).resolves.toBe('still there');
  await expect(pool.use((redis) => redis.echo('on a lease'))).resolves.toBe('on a lease');
  await expect(pool.drain({ timeoutMs: 5_000 })).resolves.toMatchObject({ clean: true, closeFailures: 0 });
  await expectCounted(pool, around);
}

async function expectFull(pool: RedisPool, shared: number): Promise<void> {
  const isFull = () => {
    const { size, idle, min, ...stats } = pool.stats();
    return stats.shared === shared && idle >= min && size === idle + shared && stats.waiting === 0;
  };
  await eventually('it is full and at rest', isFull, PATIENCE_MS).catch(() => undefined); // the stats tell more
  const { idle, min } = pool.stats();
  const rest = { leased: 0, creating: 0, closing: 0, waiting: 0 };
  expect(pool.stats()).toMatchObject({ ...rest, shared, size: idle + shared });
  expect(idle).toBeGreaterThanOrEqual(min);
}

/** The server and the proxy have as many connections as the pool says; they may close theirs a moment later. */
export async function expectCounted(
  pool: RedisPool,
  { server, proxy }: Omit<Surroundings, 'shared'>,
): Promise<void> {
  const counts = async () => ({
    pool: pool.stats().size,
    server: await connectionsAt(server),
    proxy: proxy?.connections.length ?? pool.stats().size,
  });
  const agree = async () => new Set(Object.values(await counts())).size === 1;
  await eventually('all count the same', agree, PATIENCE_MS).catch(() => undefined); // the counts tell more
  const { size } = pool.stats();
  expect(await counts()).toEqual({ pool: size, server: size, proxy: size });
}
