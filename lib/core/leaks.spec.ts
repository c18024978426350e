import { describe, expect, it, jest } from '@jest/globals';
import { FakeFactory, type FakeResource } from '../../test/support/fake-factory.js';
import { advance, sleep, useFakeTime } from '../../test/support/fake-time.js';
import type { PoolEvent } from './pool.events.js';
import type { PoolOptions } from './pool.options.js';
import { mayLast } from './lease.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

/** A pool, and what it tells about leases that are held too long. */
function aPool(options: PoolOptions) {
  const pool = new ResourcePool('p', new FakeFactory(), options);
  const told: PoolEvent[] = [];
  pool.events$.subscribe((event) => ['leaked', 'returned-late'].includes(event.type) && told.push(event));
  return { pool, told };
}

function forgetfulCaller(pool: ResourcePool<FakeResource>) {
  return pool.acquire();
}

describe('leakThresholdMs', () => {
  it('reports a lease that is held longer, with the stack of whoever acquired it', async () => {
    const { pool, told } = aPool({ leakThresholdMs: 1_000 });
    await forgetfulCaller(pool);
    await advance(999);
    expect(told).toEqual([]);
    await advance(251);
    expect(told).toEqual([
      {
        pool: 'p',
        type: 'leaked',
        heldMs: expect.any(Number),
        acquiredAt: expect.any(String),
        collected: false,
      },
    ]);
    const [leak] = told as Extract<PoolEvent, { type: 'leaked' }>[];
    expect(leak?.heldMs).toBeGreaterThanOrEqual(1_000);
    expect(leak?.acquiredAt.split('\n')[0]).toMatch(/at forgetfulCaller .*leaks\.spec\.ts/);
  });

  it('says nothing of a lease that is meant to last, and all of the next one', async () => {
    const { pool, told } = aPool({ max: 1, leakThresholdMs: 100 });
    const lease = await pool.acquire();
    mayLast(lease);
    await advance(1_000);
    await lease.release();
    expect(told).toEqual([]);
    await forgetfulCaller(pool);
    await advance(1_000);
    expect(told).toHaveLength(1);
  });

  it('finds whoever had to wait for his lease, and whoever uses use()', async () => {
    const { pool, told } = aPool({ max: 1, leakThresholdMs: 100 });
    const holder = await pool.acquire();
    const waiting = pool.use(() => sleep(500));
    await holder.release();
    await advance(500);
    await waiting;
    expect(told[0]).toMatchObject({ type: 'leaked', acquiredAt: expect.stringContaining('leaks.spec.ts') });
  });

  it('reports each lease once', async () => {
    const { pool, told } = aPool({ leakThresholdMs: 100 });
    await Promise.all([pool.acquire(), pool.acquire()]);
    await advance(60_000);
    expect(told.map(({ type }) => type)).toEqual(['leaked', 'leaked']);
  });

  it('takes nothing from the holder, and reports when the lease comes back after all', async () => {
    const { pool, told } = aPool({ leakThresholdMs: 100 });
    const lease = await pool.acquire();
    await advance(500);
    expect(lease.resource).toBeDefined();
    await lease.release();
    expect(told[1]).toMatchObject({
      type: 'returned-late',
      heldMs: 500,
      acquiredAt: expect.stringContaining('leaks.spec.ts'),
    });
    await (await pool.acquire()).release();
    await advance(500);
    expect(told).toHaveLength(2);
  });

  it('knows the place of each lease', async () => {
    const { pool } = aPool({ leakThresholdMs: 100 });
    const lease = await forgetfulCaller(pool);
    expect(lease.acquiredAt).toMatch(/at forgetfulCaller .*leaks\.spec\.ts/);
  });

  it('captures nothing and reports nothing when it is off', async () => {
    const capture = jest.spyOn(Error, 'captureStackTrace');
    const { pool, told } = aPool({ max: 1 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    await advance(3_600);
    expect(lease.acquiredAt).toBeUndefined();
    await lease.release();
    await waiting;
    await advance(3_600_000);
    expect(told).toEqual([]);
    expect(capture).not.toHaveBeenCalled();
    capture.mockRestore();
  });

  it('does not take for held what is being given back, whatever a listener does then', async () => {
    const { pool, told } = aPool({ max: 1, leakThresholdMs: 100 });
    pool.events$.subscribe(({ type }) => type === 'released' && pool.resize({ max: 1 }));
    const lease = await pool.acquire();
    await advance(500);
    await lease.release();
    await (await pool.acquire()).release();
    expect(told.map(({ type }) => type)).toEqual(['leaked', 'returned-late']);
  });

  it('is told whatever the application makes of stacks', async () => {
    const { pool, told } = aPool({ leakThresholdMs: 100 });
    const usual = Error.prepareStackTrace?.bind(Error);
    Error.prepareStackTrace = (_error, calls) => calls;
    try {
      await pool.acquire();
      await advance(500);
    } finally {
      Error.prepareStackTrace = usual;
    }
    expect(told).toEqual([expect.objectContaining({ type: 'leaked', acquiredAt: expect.any(String) })]);
  });
});
