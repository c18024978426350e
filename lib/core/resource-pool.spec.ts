import { describe, expect, it, jest } from '@jest/globals';
import { FakeFactory, type FakeResource } from '../../test/support/fake-factory.js';
import { advance, failureOf, sleep, useFakeTime, watch } from '../../test/support/fake-time.js';
import { PoolClosedError, PoolQueueFullError, PoolTimeoutError } from './pool.errors.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';
import type { AcquireOptions } from './waiter.js';

useFakeTime();

const NO_TIMER_BUT_THE_SWEEPER = 1;

function aPool(options?: PoolOptions, factory = new FakeFactory()) {
  return { factory, pool: new ResourcePool('p', factory, options) };
}

/** Callers who write down their names in the order in which they are served, and give the resource back at once. */
function queueOf(pool: ResourcePool<FakeResource>) {
  const served: string[] = [];
  const join = (name: string, options?: AcquireOptions) => {
    void pool.use(() => void served.push(name), options).catch(() => undefined);
  };
  return { served, join };
}

describe('acquire()', () => {
  it('opens a resource when none is idle, and lends the idle one when there is one', async () => {
    const { pool, factory } = aPool();
    const first = await pool.acquire();
    await first.release();
    const second = await pool.acquire();
    expect(second.resource).toBe(factory.created[0]);
    expect(factory.created).toHaveLength(1);
  });

  it('lends a resource to one holder at a time', async () => {
    const { pool } = aPool({ max: 3 });
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    expect(new Set(leases.map((lease) => lease.resource)).size).toBe(3);
  });

  it('never has more resources than max, however many ask', async () => {
    const { pool, factory } = aPool({ max: 2 });
    const work = Promise.all(Array.from({ length: 20 }, () => pool.use(() => sleep(5))));
    await advance(100);
    await work;
    expect(factory.peak).toBe(2);
    expect(pool.stats()).toMatchObject({ size: 2, idle: 2, acquired: 20 });
  });

  it('lends the resource used last in lifo order, and the one that rested longest in fifo order', async () => {
    for (const [order, next] of [
      ['lifo', 2],
      ['fifo', 1],
    ] as const) {
      const { pool } = aPool({ order });
      const [one, two] = await Promise.all([pool.acquire(), pool.acquire()]);
      await one.release();
      await two.release();
      expect((await pool.acquire()).resource.id).toBe(next);
    }
  });

  it('arms no timer for a caller who gets an idle resource', async () => {
    const { pool } = aPool();
    await (await pool.acquire()).release();
    const lease = await pool.acquire();
    expect(jest.getTimerCount()).toBe(NO_TIMER_BUT_THE_SWEEPER);
    await lease.release();
  });

  it('is refused options that cannot work', async () => {
    const { pool } = aPool();
    const options = { timeoutMs: -1, priority: 'urgent', retries: 3 } as unknown as AcquireOptions;
    await expect(pool.acquire(options)).rejects.toMatchObject({
      code: 'ERR_POOL_OPTIONS',
      problems: [
        expect.stringContaining('timeoutMs must be'),
        expect.stringContaining('priority must be one of "high", "normal", "low"'),
        'unknown option "retries"',
      ],
    });
  });

  it('is refused while the pool drains and after', async () => {
    const { pool } = aPool();
    const lease = await pool.acquire();
    const drained = pool.drain();
    await expect(pool.acquire()).rejects.toThrow(PoolClosedError);
    await lease.release();
    await drained;
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'ERR_POOL_CLOSED' });
  });
});

describe('the queue', () => {
  it('serves callers in the order in which they came', async () => {
    const { pool } = aPool({ max: 1 });
    const holder = await pool.acquire();
    const { served, join } = queueOf(pool);
    for (const name of ['first', 'second', 'third']) join(name);
    await holder.release();
    await advance(0);
    expect(served).toEqual(['first', 'second', 'third']);
  });

  it('serves high before normal before low', async () => {
    const { pool } = aPool({ max: 1 });
    const holder = await pool.acquire();
    const { served, join } = queueOf(pool);
    join('low', { priority: 'low' });
    join('normal');
    join('high', { priority: 'high' });
    await holder.release();
    await advance(0);
    expect(served).toEqual(['high', 'normal', 'low']);
  });

  it('does not starve a low priority: it comes before those who came over four seconds later', async () => {
    const { pool } = aPool({ max: 1, acquireTimeoutMs: 0 });
    const holder = await pool.acquire();
    const { served, join } = queueOf(pool);
    join('low', { priority: 'low' });
    await advance(3_900);
    join('high, in time', { priority: 'high' });
    await advance(200);
    join('high, too late', { priority: 'high' });
    await holder.release();
    await advance(0);
    expect(served).toEqual(['high, in time', 'low', 'high, too late']);
  });

  it('lets nobody who comes later overtake those who wait', async () => {
    const { pool } = aPool({ max: 1 });
    const holder = await pool.acquire();
    const { served, join } = queueOf(pool);
    join('waiting');
    void holder.release();
    join('new');
    await advance(0);
    expect(served).toEqual(['waiting', 'new']);
  });

  it('refuses a caller at once when maxWaiting callers are waiting', async () => {
    const { pool } = aPool({ max: 1, maxWaiting: 2 });
    await pool.acquire();
    const waiting = [pool.acquire(), pool.acquire()].map(watch);
    await expect(pool.acquire()).rejects.toThrow(PoolQueueFullError);
    expect(waiting.map(({ state }) => state)).toEqual(['pending', 'pending']);
  });

  it('refuses whoever would have to wait when maxWaiting is 0, and nobody else', async () => {
    const { pool } = aPool({ max: 2, maxWaiting: 0 });
    const [one] = await Promise.all([pool.acquire(), pool.acquire()]);
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'ERR_POOL_QUEUE_FULL' });
    await one.release();
    await expect(pool.acquire()).resolves.toBeDefined();
  });
});

describe('a deadline', () => {
  it('is acquireTimeoutMs, and takes the caller out of the queue', async () => {
    const { pool } = aPool({ max: 1, acquireTimeoutMs: 300 });
    await pool.acquire();
    const late = watch(pool.acquire());
    await advance(299);
    expect(late.state).toBe('pending');
    await advance(1);
    expect(late.reason).toBeInstanceOf(PoolTimeoutError);
    expect(pool.stats()).toMatchObject({ waiting: 0, timeouts: 1 });
  });

  it('may be set for each call', async () => {
    const { pool } = aPool({ max: 1, acquireTimeoutMs: 10_000 });
    await pool.acquire();
    const hasty = watch(pool.acquire({ timeoutMs: 50 }));
    await advance(50);
    expect(hasty.state).toBe('rejected');
  });

  it('is none with 0', async () => {
    const { pool } = aPool({ max: 1, acquireTimeoutMs: 0 });
    const holder = await pool.acquire();
    const patient = watch(pool.acquire());
    await advance(3_600_000);
    expect(patient.state).toBe('pending');
    await holder.release();
    await advance(0);
    expect(patient.state).toBe('fulfilled');
  });

  it('gives the place of a caller who gave up to the next, not to nobody', async () => {
    const { pool } = aPool({ max: 1 });
    const holder = await pool.acquire();
    const hasty = failureOf(pool.acquire({ timeoutMs: 10 }));
    const patient = watch(pool.acquire());
    await advance(10);
    await hasty;
    await holder.release();
    await advance(0);
    expect(patient.state).toBe('fulfilled');
    expect(pool.stats()).toMatchObject({ leased: 1, waiting: 0 });
  });

  it('leaves no timer behind once the caller is served', async () => {
    const { pool } = aPool({ max: 1 });
    const holder = await pool.acquire();
    const next = pool.acquire();
    await holder.release();
    await next;
    expect(jest.getTimerCount()).toBe(NO_TIMER_BUT_THE_SWEEPER);
  });
});
