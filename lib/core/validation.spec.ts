import { describe, expect, it } from '@jest/globals';
import { FakeFactory, type FakeResource } from '../../test/support/fake-factory.js';
import { advance, useFakeTime, watch } from '../../test/support/fake-time.js';
import type { Lease } from './lease.js';
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

describe('validateAfterIdleMs', () => {
  it('asks before lending what lay idle so long, and not before', async () => {
    const { pool, factory } = await anIdlePool(1, { validateAfterIdleMs: 500 });
    await advance(499);
    await useOnce(pool);
    expect(factory.validates.calls).toBe(0);
    await advance(500);
    await useOnce(pool);
    expect(factory.validates.calls).toBe(1);
  });

  it('asks every time with 0', async () => {
    const { pool, factory } = await anIdlePool(1, { validateAfterIdleMs: 0 });
    await useOnce(pool);
    await useOnce(pool);
    expect(factory.validates.calls).toBe(2);
  });

  it.each([false, undefined, null, 1, 'true'])(
    'takes %p for a no, and gives the caller another one',
    async (answer) => {
      const { pool, factory, reasons } = await anIdlePool(1, { max: 1, validateAfterIdleMs: 0 });
      factory.validates.answer = () => answer;
      const lease = await pool.acquire();
      expect(lease.resource).toBe(factory.created[1]);
      expect(reasons).toEqual(['invalid']);
    },
  );

  it.each(['throws', 'rejects', 'hangs'] as const)('takes a validator that %s for a no', async (manner) => {
    const { pool, factory, reasons } = await anIdlePool(1, {
      max: 1,
      validateAfterIdleMs: 0,
      createTimeoutMs: 300,
    });
    factory.validates.manner = manner;
    const caller = watch(pool.acquire({ timeoutMs: 1_000 }));
    await advance(300);
    expect(caller.value?.resource).toBe(factory.created[1]);
    expect(reasons).toEqual(['invalid']);
  });

  it('lets the caller wait for a validator that takes its time', async () => {
    const { pool, factory } = await anIdlePool(1, { validateAfterIdleMs: 0 });
    factory.validates.ms = 20;
    const caller = watch(pool.acquire());
    await advance(19);
    expect(pool.stats()).toMatchObject({ creating: 1, waiting: 1 });
    await advance(1);
    expect(caller.value?.resource).toBe(factory.created[0]);
  });

  it('lends no resource that says in its own validation that it is broken', async () => {
    const { pool, factory } = await anIdlePool(1, { max: 1, validateAfterIdleMs: 0 });
    factory.validates.answer = (resource) => {
      factory.lose(resource);
      return true;
    };
    const caller = watch(pool.acquire());
    await advance(100);
    expect(caller.value?.resource).toBe(factory.created[1]);
  });

  it('serves a caller whose resource is still being validated with whatever comes back first', async () => {
    const { pool, factory } = await anIdlePool(2, { max: 2 });
    const lease = await pool.acquire();
    await advance(600);
    factory.validates.manner = 'hangs';
    const caller = watch(pool.acquire());
    await lease.release();
    await advance(0);
    expect(caller.value?.resource).toBe(factory.created[1]);
  });

  it('gives the next one that proves valid to whoever came first, not to whoever comes then', async () => {
    const { pool, factory } = await anIdlePool(2, { max: 2, validateAfterIdleMs: 0 });
    factory.validates.next(1, 'hangs');
    const first = watch(pool.acquire());
    const second = watch(pool.acquire());
    await advance(0);
    expect([first.state, second.state]).toEqual(['fulfilled', 'pending']);
  });

  it('lends what is fit rather than wait for a validator that hangs', async () => {
    const { pool, factory } = await anIdlePool(2, { max: 2, order: 'fifo' });
    await advance(600);
    await useOnce(pool);
    factory.validates.manner = 'hangs';
    const caller = watch(pool.acquire());
    await advance(0);
    expect(caller.value?.resource).toBe(factory.created[0]);
  });
});

describe('keepAliveMs', () => {
  it('validates an idle resource this often, and closes one that fails', async () => {
    const { pool, factory, reasons } = await anIdlePool(1, { keepAliveMs: 1_000, idleTimeoutMs: 0 });
    await advance(3_600);
    expect(factory.validates.calls).toBeGreaterThanOrEqual(2);
    expect(factory.validates.calls).toBeLessThanOrEqual(3);
    factory.validates.next(1, 'rejects');
    await advance(1_500);
    expect(reasons).toEqual(['invalid']);
    expect(pool.stats()).toMatchObject({ idle: 1, created: 2 });
  });

  it('does not disturb a resource in use', async () => {
    const { pool, factory } = await anIdlePool(1, { max: 1, keepAliveMs: 1_000 });
    await pool.acquire();
    await advance(10_000);
    expect(factory.validates.calls).toBe(0);
  });

  it('does not make a resource count as used: it still goes after idleTimeoutMs', async () => {
    const { pool, reasons } = await anIdlePool(0, { keepAliveMs: 100, idleTimeoutMs: 1_000 });
    await useOnce(pool);
    await advance(2_000);
    expect(reasons).toEqual(['idle']);
    expect(pool.stats()).toMatchObject({ size: 0 });
  });

  it.each(['lifo', 'fifo'] as const)(
    'does not change which resource is lent next in %s order',
    async (order) => {
      const { pool } = await anIdlePool(0, { keepAliveMs: 1_000, idleTimeoutMs: 0, order });
      await useOnce(pool, 2);
      await advance(700);
      const lease = await pool.acquire();
      const { resource } = lease;
      await lease.release();
      await advance(700);
      const next = await pool.acquire();
      expect(next.resource === resource).toBe(order === 'lifo');
    },
  );

  it('asks nothing of a factory that has no validate', async () => {
    const { pool } = await anIdlePool(1, { keepAliveMs: 100 }, new FakeFactory());
    await advance(10_000);
    expect(pool.stats()).toMatchObject({ idle: 1, created: 1 });
  });

  it('leaves one alone that somebody took while another was validated', async () => {
    const { pool, factory } = await anIdlePool(2, { keepAliveMs: 1_000, validateAfterIdleMs: 60_000 });
    const taken: Promise<Lease<FakeResource>>[] = [];
    factory.validates.answer = () => {
      if (taken.length === 0) taken.push(pool.acquire());
      return true;
    };
    await advance(1_500);
    expect(pool.stats()).toMatchObject({ leased: 1, idle: 1 });
    const others = await Promise.all([pool.acquire(), pool.acquire()]);
    const held = await taken[0];
    expect(others.map(({ resource }) => resource)).not.toContain(held?.resource);
  });
});
