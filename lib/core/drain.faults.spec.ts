import { describe, expect, it, jest } from '@jest/globals';
import { FakeFactory, type FakeResource } from '../../test/support/fake-factory.js';
import { advance, failureOf, useFakeTime, watch } from '../../test/support/fake-time.js';
import { PoolClosedError } from './pool.errors.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

function aPool(options: PoolOptions = { max: 2 }, factory = new FakeFactory()) {
  return { factory, pool: new ResourcePool('p', factory, options) };
}

/** Whatever a drain had to deal with, this is how it leaves the place. */
function expectNothingLeft(pool: ResourcePool<FakeResource>, factory: FakeFactory) {
  expect(pool.stats()).toMatchObject({
    state: 'closed',
    size: 0,
    idle: 0,
    leased: 0,
    creating: 0,
    closing: 0,
    waiting: 0,
  });
  expect(factory.live).toBe(0);
  expect(new Set(factory.destroyed).size).toBe(factory.destroyed.length);
  expect(jest.getTimerCount()).toBe(0);
}

describe('drain(), whatever the factory does,', () => {
  it.each([true, false])(
    'ends at its deadline although a resource never opens (heeding the signal: %s)',
    async (heeds) => {
      const { pool, factory } = aPool();
      factory.creates.manner = 'hangs';
      factory.heedsAbort = heeds;
      const caller = failureOf(pool.acquire());
      const drained = watch(pool.drain({ timeoutMs: 100 }));
      await advance(100);
      expect(await caller).toBeInstanceOf(PoolClosedError);
      expect(drained.value).toMatchObject({ clean: false, rejected: 1 });
      expectNothingLeft(pool, factory);
    },
  );

  it('destroys a resource that arrives after it ended', async () => {
    const { pool, factory } = aPool();
    factory.heedsAbort = false;
    factory.creates.ms = 300;
    const caller = failureOf(pool.acquire());
    const drained = pool.drain({ timeoutMs: 100 });
    await advance(100);
    await Promise.all([caller, drained]);
    await advance(200);
    expect(factory.destroyed).toEqual(factory.created);
    expect(factory.created).toHaveLength(1);
    expectNothingLeft(pool, factory);
  });

  it('ends the retries of a resource that cannot be opened', async () => {
    const { pool, factory } = aPool();
    factory.creates.manner = 'rejects';
    const caller = failureOf(pool.acquire());
    await advance(10);
    const drained = pool.drain({ timeoutMs: 100 });
    await advance(100);
    await Promise.all([caller, drained]);
    expectNothingLeft(pool, factory);
    const { calls } = factory.creates;
    await advance(60_000);
    expect(factory.creates.calls).toBe(calls);
  });

  it.each(['validates', 'resets'] as const)(
    'closes a resource of which nobody says how it %s',
    async (what) => {
      const factory = new FakeFactory({ validate: true, reset: true });
      const { pool } = aPool({ validateAfterIdleMs: 0 }, factory);
      const lease = await pool.acquire();
      factory[what].manner = 'hangs';
      void lease.release();
      const caller = watch(pool.acquire({ timeoutMs: 50 }));
      const drained = watch(pool.drain({ timeoutMs: 100 }));
      await advance(100);
      expect(caller.state).toBe('rejected');
      expect(drained.value).toMatchObject({ closed: 1 });
      expectNothingLeft(pool, factory);
    },
  );

  it.each(['throws', 'rejects', 'hangs'] as const)(
    'ends although destroy %s, and counts it',
    async (manner) => {
      const { pool, factory } = aPool({ min: 2, destroyTimeoutMs: 200 });
      await pool.start();
      factory.destroys.manner = manner;
      const drained = watch(pool.drain());
      await advance(200);
      expect(drained.value).toMatchObject({ clean: true, closed: 2, closeFailures: 2 });
      expectNothingLeft(pool, factory);
    },
  );

  it('closes each resource once when closing one breaks the others', async () => {
    const { pool, factory } = aPool({ min: 3 });
    await pool.start();
    const { destroy } = factory;
    factory.destroy = (resource) => {
      for (const other of factory.created) factory.lose(other);
      return destroy(resource);
    };
    const drained = watch(pool.drain());
    await advance(0);
    expect(drained.value).toMatchObject({ clean: true, closed: 3 });
    expectNothingLeft(pool, factory);
  });
});
