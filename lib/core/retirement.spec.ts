import { describe, expect, it, jest } from '@jest/globals';
import { FakeFactory, type FakeResource } from '../../test/support/fake-factory.js';
import { advance, useFakeTime, watch } from '../../test/support/fake-time.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

/** A pool in which `count` resources lie idle, and the reasons for which it closes some. */
async function anIdlePool(
  count: number,
  options: PoolOptions,
  factory = new FakeFactory({ validate: true }),
) {
  const pool = new ResourcePool('p', factory, { min: count, ...options });
  await pool.start();
  const reasons: string[] = [];
  pool.events$.subscribe((event) => event.type === 'destroyed' && reasons.push(event.reason));
  return { pool, factory, reasons };
}

/** Has the pool lend and take back as many resources as it has, or one. */
async function useOnce(pool: ResourcePool<FakeResource>, atOnce = 1): Promise<void> {
  const leases = await Promise.all(Array.from({ length: atOnce }, () => pool.acquire()));
  for (const lease of leases) await lease.release();
}

describe('an idle resource', () => {
  it('is closed after idleTimeoutMs, down to min', async () => {
    const { pool, reasons } = await anIdlePool(1, { max: 4, idleTimeoutMs: 1_000 });
    await useOnce(pool, 4);
    await advance(900);
    expect(pool.stats()).toMatchObject({ idle: 4 });
    await advance(600);
    expect(pool.stats()).toMatchObject({ idle: 1, size: 1 });
    await advance(60_000);
    expect(reasons).toEqual(['idle', 'idle', 'idle']);
  });

  it('is kept for ever with 0', async () => {
    const { pool } = await anIdlePool(0, { max: 2, idleTimeoutMs: 0, maxLifetimeMs: 0 });
    await useOnce(pool, 2);
    await advance(24 * 3_600_000);
    expect(pool.stats()).toMatchObject({ idle: 2, destroyed: 0 });
  });

  it('goes before the one that is in use under a light load', async () => {
    const { pool, factory } = await anIdlePool(0, { max: 3, idleTimeoutMs: 1_000 });
    await useOnce(pool, 3);
    const last = factory.created[2];
    for (let second = 0; second < 5; second += 1) {
      await advance(400);
      await useOnce(pool);
    }
    expect(pool.stats()).toMatchObject({ size: 1 });
    expect(factory.destroyed).not.toContain(last);
  });

  it('is replaced at once when it breaks', async () => {
    const { pool, factory, reasons } = await anIdlePool(2, {});
    await useOnce(pool, 2);
    factory.lose(factory.created[0]!);
    expect(pool.stats()).toMatchObject({ idle: 1, closing: 1 });
    await advance(0);
    expect(factory.destroyed).toEqual([factory.created[0]]);
    expect(reasons).toEqual(['broken']);
    expect(pool.stats()).toMatchObject({ idle: 2 });
  });

  it('breaks once, whatever it says after that', async () => {
    const { pool, factory, reasons } = await anIdlePool(1, {});
    for (let times = 0; times < 3; times += 1) factory.lose(factory.created[0]!);
    await advance(100);
    factory.lose(factory.created[0]!);
    await advance(100);
    expect(reasons).toEqual(['broken']);
    expect(pool.stats()).toMatchObject({ size: 1, idle: 1 });
  });
});

describe('maxLifetimeMs', () => {
  it.each([
    ['earliest', 0.999_999, 9_000],
    ['latest', 0, 10_000],
  ])('ends a life within its last tenth: at the %s', async (_when, luck, diesAfter) => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(luck);
    const { pool, reasons } = await anIdlePool(1, { maxLifetimeMs: 10_000, idleTimeoutMs: 0 });
    await advance(diesAfter - 1_100);
    expect(reasons).toEqual([]);
    await advance(1_100 + 1_000);
    expect(reasons).toEqual(['lifetime']);
    expect(pool.stats()).toMatchObject({ idle: 1, created: 2 });
    random.mockRestore();
  });

  it('does not end the lives of all at once', async () => {
    const { reasons } = await anIdlePool(10, { maxLifetimeMs: 100_000, idleTimeoutMs: 0 });
    const endings = new Set<number>();
    for (let second = 0; second < 105; second += 1) {
      const before = reasons.length;
      await advance(1_000);
      if (reasons.length > before) endings.add(second);
    }
    expect(reasons.length).toBeGreaterThanOrEqual(10);
    expect(endings.size).toBeGreaterThan(1);
    expect(Math.min(...endings)).toBeGreaterThanOrEqual(89);
  });

  it('never takes a resource from its holder, and ends its life when it comes back', async () => {
    const { pool, factory, reasons } = await anIdlePool(0, { maxLifetimeMs: 1_000 });
    const lease = await pool.acquire();
    await advance(10_000);
    expect(lease.resource).toBe(factory.created[0]);
    expect(reasons).toEqual([]);
    await lease.release();
    expect(reasons).toEqual(['lifetime']);
    expect(pool.stats()).toMatchObject({ size: 0 });
  });

  it('is no failure, though the socket of the old one closes: its successor comes at once', async () => {
    const { pool, factory } = await anIdlePool(1, { max: 1, maxLifetimeMs: 1_000, idleTimeoutMs: 0 });
    const { destroy } = factory;
    factory.destroy = (resource) => {
      factory.lose(resource);
      return destroy(resource);
    };
    await advance(1_000);
    expect(pool.stats()).toMatchObject({ idle: 1, created: 2 });
  });
});

describe('maxUses', () => {
  it('replaces a resource after so many leases', async () => {
    const { pool, factory, reasons } = await anIdlePool(0, { maxUses: 3 });
    for (let use = 0; use < 7; use += 1) await useOnce(pool);
    expect(factory.created).toHaveLength(3);
    expect(reasons).toEqual(['uses', 'uses']);
  });
});

describe('a resource that is being closed', () => {
  it('counts against max until it is gone', async () => {
    const { pool, factory } = await anIdlePool(0, { max: 2 });
    factory.destroys.ms = 100;
    for (const lease of await Promise.all([pool.acquire(), pool.acquire()])) void lease.destroy();
    const next = watch(pool.acquire());
    await advance(99);
    expect(pool.stats()).toMatchObject({ closing: 2, size: 2, waiting: 1 });
    await advance(1);
    expect(next.state).toBe('fulfilled');
    expect(factory.peak).toBe(2);
  });

  it('is given up after destroyTimeoutMs, and the failure told', async () => {
    const { pool, factory } = await anIdlePool(0, { max: 1, destroyTimeoutMs: 200 });
    factory.destroys.next(1, 'hangs');
    const failures: unknown[] = [];
    pool.events$.subscribe((event) => event.type === 'destroy-failed' && failures.push(event.error));
    void (await pool.acquire()).destroy();
    const next = watch(pool.acquire());
    await advance(200);
    expect(next.state).toBe('fulfilled');
    expect(failures).toEqual([
      expect.objectContaining({
        code: 'ERR_POOL_FACTORY',
        message: '[pool "p"] closing a resource took longer than 200 ms',
      }),
    ]);
  });

  it.each(['throws', 'rejects'] as const)('is gone when destroy %s, and the failure told', async (manner) => {
    const { pool, factory, reasons } = await anIdlePool(1, { idleTimeoutMs: 1_000, maxUses: 1 });
    factory.destroys.manner = manner;
    const failures: unknown[] = [];
    pool.events$.subscribe((event) => event.type === 'destroy-failed' && failures.push(event.error));
    await useOnce(pool);
    await useOnce(pool);
    expect(failures).toEqual([factory.destroys.error, factory.destroys.error]);
    expect(reasons).toEqual(['uses', 'uses']);
  });
});
