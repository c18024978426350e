import { describe, expect, it, jest } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { advance, failureOf, useFakeTime } from '../../test/support/fake-time.js';
import { PoolTimeoutError, PoolUnavailableError } from './pool.errors.js';
import type { PoolEvent } from './pool.events.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

const REFUSED = new Error('ECONNREFUSED');

/** Enough for five tries, and for the pauses between them. */
const OUTAGE_MS = 2_000;

function aPool(options: PoolOptions = {}) {
  const factory = new FakeFactory();
  return { factory, pool: new ResourcePool('p', factory, { max: 4, ...options }) };
}

/** A pool that cannot open anything, and has found that out. */
async function aBrokenPool(options?: PoolOptions) {
  const { factory, pool } = aPool(options);
  Object.assign(factory.creates, { manner: 'rejects', error: REFUSED });
  const first = failureOf(pool.acquire({ timeoutMs: OUTAGE_MS }));
  await advance(OUTAGE_MS);
  return { factory, pool, first: await first };
}

describe('the breaker', () => {
  it('refuses newcomers at once, with the real cause, when try after try has failed', async () => {
    const { pool } = await aBrokenPool();
    const failure = await failureOf(pool.acquire());
    expect(failure).toBeInstanceOf(PoolUnavailableError);
    expect(failure).toMatchObject({ code: 'ERR_POOL_UNAVAILABLE', pool: 'p', cause: REFUSED });
    expect(pool.stats().waiting).toBe(0);
  });

  it('leaves their deadline to those who wait already', async () => {
    const { first } = await aBrokenPool();
    expect(first).toBeInstanceOf(PoolTimeoutError);
    expect(first).toMatchObject({ reason: 'create-failing', cause: REFUSED });
  });

  it('does not open for a failure or two', async () => {
    const { factory, pool } = aPool();
    factory.creates.next(3, 'rejects', REFUSED);
    const lease = pool.acquire();
    await advance(OUTAGE_MS);
    await expect(lease).resolves.toBeDefined();
  });

  it('lets one try after the other go on, although nobody waits, and never two at once', async () => {
    const { factory, pool } = await aBrokenPool();
    const before = factory.creates.calls;
    factory.creates.ms = 10;
    await advance(10_000);
    expect(factory.creates.calls - before).toBeGreaterThanOrEqual(8);
    expect(factory.creates.calls - before).toBeLessThanOrEqual(25);
    expect(factory.peak).toBe(1);
    expect(pool.stats()).toMatchObject({ size: expect.any(Number), idle: 0 });
  });

  it('closes by itself when a try succeeds, and refills min', async () => {
    const { factory, pool } = await aBrokenPool({ min: 3 });
    factory.creates.manner = 'works';
    await advance(1_000);
    expect(pool.stats().idle).toBe(3);
    await expect(pool.use((resource) => resource.id)).resolves.toEqual(expect.any(Number));
  });

  it('keeps nobody from resources that are there', async () => {
    const { factory, pool } = aPool({ max: 2 });
    const lease = await pool.acquire();
    Object.assign(factory.creates, { manner: 'rejects', error: REFUSED });
    void failureOf(pool.acquire({ timeoutMs: OUTAGE_MS }));
    await advance(OUTAGE_MS);
    const waiting = pool.acquire();
    await lease.release();
    await expect(waiting).resolves.toBeDefined();
  });

  it('tells when it opens and when it closes, once each', async () => {
    const { factory, pool } = aPool();
    const events: PoolEvent[] = [];
    pool.events$.subscribe((event) => events.push(event));
    Object.assign(factory.creates, { manner: 'rejects', error: REFUSED });
    void failureOf(pool.acquire());
    await advance(20_000);
    factory.creates.manner = 'works';
    await advance(2_000);
    const told = events.filter(({ type }) => type.startsWith('breaker'));
    expect(told).toEqual([
      { pool: 'p', type: 'breaker-opened', cause: REFUSED },
      { pool: 'p', type: 'breaker-closed' },
    ]);
  });

  it('does not go on when the pool is drained', async () => {
    const { factory, pool } = await aBrokenPool();
    await pool.drain();
    const { calls } = factory.creates;
    await advance(10_000);
    expect(factory.creates.calls).toBe(calls);
    expect(jest.getTimerCount()).toBe(0);
  });
});
