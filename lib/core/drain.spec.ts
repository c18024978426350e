import { describe, expect, it, jest } from '@jest/globals';
import { FakeFactory, type FakeResource } from '../../test/support/fake-factory.js';
import { advance, failureOf, useFakeTime, watch } from '../../test/support/fake-time.js';
import { LeaseBrokenError, PoolClosedError } from './pool.errors.js';
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

describe('drain()', () => {
  it('closes a pool that was never used', async () => {
    const { pool, factory } = aPool();
    await expect(pool.drain()).resolves.toEqual({
      pool: 'p',
      durationMs: 0,
      clean: true,
      served: 0,
      rejected: 0,
      revoked: [],
      closed: 0,
      closeFailures: 0,
    });
    expectNothingLeft(pool, factory);
  });

  it('closes what is idle and resolves when it is closed', async () => {
    const { pool, factory } = aPool({ min: 2 });
    await pool.start();
    factory.destroys.ms = 30;
    const drained = watch(pool.drain());
    expect(pool.stats()).toMatchObject({ state: 'draining', closing: 2 });
    await advance(29);
    expect(drained.state).toBe('pending');
    await advance(1);
    expect(drained.value).toMatchObject({ clean: true, closed: 2, durationMs: 30 });
    expectNothingLeft(pool, factory);
  });

  it('waits for leases', async () => {
    const { pool, factory } = aPool();
    const lease = await pool.acquire();
    const drained = watch(pool.drain());
    await advance(5_000);
    expect(drained.state).toBe('pending');
    expect(lease.resource).toBeDefined();
    await lease.release();
    await advance(0);
    expect(drained.value).toMatchObject({ clean: true, revoked: [], closed: 1 });
    expectNothingLeft(pool, factory);
  });

  it('serves those who wait, as long as they get something before the deadline', async () => {
    const { pool, factory } = aPool({ max: 1 });
    const holder = await pool.acquire();
    const waiting = pool.acquire();
    const drained = pool.drain();
    await holder.release();
    await (await waiting).release();
    await expect(drained).resolves.toMatchObject({ clean: true, served: 1, rejected: 0 });
    expectNothingLeft(pool, factory);
  });

  it('counts as served neither those who timed out nor those who left', async () => {
    const { pool, factory } = aPool({ max: 1 });
    const holder = await pool.acquire();
    const client = new AbortController();
    const late = failureOf(pool.acquire({ timeoutMs: 10 }));
    const leaving = failureOf(pool.acquire({ signal: client.signal }));
    const drained = pool.drain();
    client.abort();
    await advance(10);
    await Promise.all([late, leaving]);
    await holder.release();
    await expect(drained).resolves.toMatchObject({ clean: true, served: 0, rejected: 0 });
    expectNothingLeft(pool, factory);
  });

  it('refuses those who still wait at the deadline, and revokes the leases of late holders', async () => {
    const { pool, factory } = aPool({ max: 1 });
    const holder = await pool.acquire();
    const waiting = failureOf(pool.acquire());
    await advance(100);
    const drained = watch(pool.drain({ timeoutMs: 400 }));
    await advance(400);
    expect(await waiting).toBeInstanceOf(PoolClosedError);
    expect(() => holder.resource).toThrow(LeaseBrokenError);
    expect(() => holder.resource).toThrow('the pool was drained and its deadline passed');
    expect(drained.value).toMatchObject({
      clean: false,
      durationMs: 400,
      served: 0,
      rejected: 1,
      revoked: [{ heldMs: 500 }],
      closed: 1,
    });
    expectNothingLeft(pool, factory);
    await holder.release();
    expectNothingLeft(pool, factory);
  });

  it('names the place of a late holder while leakThresholdMs is on', async () => {
    const { pool } = aPool({ max: 1, leakThresholdMs: 60_000 });
    await pool.acquire();
    const drained = pool.drain({ timeoutMs: 10 });
    await advance(10);
    const [late] = (await drained).revoked;
    expect(late?.acquiredAt).toContain('drain.spec.ts');
  });

  it('lets a task of use() know that its resource was revoked', async () => {
    const { pool } = aPool();
    const failure = failureOf(
      pool.use(async (_, lease) => {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        return lease.resource;
      }),
    );
    await advance(0);
    const drained = pool.drain({ timeoutMs: 100 });
    await advance(1_000);
    expect(await failure).toBeInstanceOf(LeaseBrokenError);
    await drained;
  });

  it('waits for a resource that is being opened for a caller, and serves him', async () => {
    const { pool, factory } = aPool();
    factory.creates.ms = 50;
    const caller = pool.acquire();
    const drained = pool.drain();
    await advance(50);
    await (await caller).release();
    await expect(drained).resolves.toMatchObject({ clean: true, served: 1, closed: 1 });
    expectNothingLeft(pool, factory);
  });

  it('waits for a resource that is being validated', async () => {
    const { pool, factory } = aPool({ validateAfterIdleMs: 0 }, new FakeFactory({ validate: true }));
    await (await pool.acquire()).release();
    factory.validates.ms = 50;
    const caller = pool.acquire();
    const drained = pool.drain();
    await advance(50);
    await (await caller).release();
    await expect(drained).resolves.toMatchObject({ clean: true, served: 1, closed: 1 });
    expectNothingLeft(pool, factory);
  });

  it('does not wait for a resource that nobody waits for: it is closed, or given up, at once', async () => {
    const { pool, factory } = aPool({ min: 2, max: 2 }, new FakeFactory({ reset: true }));
    factory.creates.next(1, 'hangs');
    factory.resets.ms = 50;
    const lease = await pool.acquire();
    void lease.release();
    expect(pool.stats()).toMatchObject({ creating: 2 });
    await expect(pool.drain()).resolves.toMatchObject({ clean: true, closed: 1, durationMs: 0 });
    await advance(50);
    expectNothingLeft(pool, factory);
  });

  it('does not wait either for the reset of a resource that comes back meanwhile', async () => {
    const { pool, factory } = aPool({}, new FakeFactory({ reset: true }));
    factory.resets.manner = 'hangs';
    const lease = await pool.acquire();
    const drained = watch(pool.drain());
    void lease.release();
    await advance(0);
    expect(drained.value).toMatchObject({ clean: true, closed: 1 });
    expectNothingLeft(pool, factory);
  });

  it('waits for a resource that is being closed already', async () => {
    const { pool, factory } = aPool();
    factory.destroys.ms = 50;
    void (await pool.acquire()).destroy();
    const drained = watch(pool.drain());
    await advance(49);
    expect(drained.state).toBe('pending');
    await advance(1);
    expect(drained.state).toBe('fulfilled');
    expectNothingLeft(pool, factory);
  });

  it('works on a suspended pool, whose queue it serves', async () => {
    const { pool, factory } = aPool();
    pool.suspend();
    const caller = pool.acquire();
    const drained = pool.drain();
    await (await caller).release();
    await expect(drained).resolves.toMatchObject({ clean: true, served: 1 });
    expectNothingLeft(pool, factory);
  });

  it('may be called twice: the second call joins the first', async () => {
    const { pool, factory } = aPool();
    const lease = await pool.acquire();
    const first = pool.drain();
    const second = pool.drain({ timeoutMs: 1 });
    await advance(100);
    await lease.release();
    expect(await second).toBe(await first);
    expect(await pool.drain()).toBe(await first);
    expectNothingLeft(pool, factory);
  });

  it('may be called again by whoever hears of it', async () => {
    const { pool, factory } = aPool();
    await pool.start();
    const reports: unknown[] = [];
    pool.events$.subscribe(
      ({ type }) => type === 'state-changed' && void pool.drain().then((report) => reports.push(report)),
    );
    const report = await pool.drain();
    await advance(0);
    expect(new Set(reports)).toEqual(new Set([report]));
    expect([...new Set(reports)][0]).toBe(report);
    expectNothingLeft(pool, factory);
  });

  it('keeps no min', async () => {
    const { pool, factory } = aPool({ min: 2 });
    await pool.start();
    await pool.drain();
    await advance(60_000);
    expect(factory.created).toHaveLength(2);
    expectNothingLeft(pool, factory);
  });
});
