import { describe, expect, it } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { advance, failureOf, useFakeTime, watch } from '../../test/support/fake-time.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

const REFUSED = new Error('ECONNREFUSED');
const ONE_SECOND = 1_000;

function aPool(options: PoolOptions = {}, factory = new FakeFactory()) {
  return { factory, pool: new ResourcePool('p', factory, { max: 4, ...options }) };
}

/** The moments at which the factory was asked to create. */
function momentsOf(factory: FakeFactory): number[] {
  const moments: number[] = [];
  const { create } = factory;
  factory.create = (signal) => {
    moments.push(performance.now());
    return create(signal);
  };
  return moments;
}

describe('while resources cannot be opened', () => {
  it.each(['rejects', 'throws'] as const)('the caller hears the real cause: create %s', async (manner) => {
    const { pool, factory } = aPool({ acquireTimeoutMs: ONE_SECOND });
    Object.assign(factory.creates, { manner, error: REFUSED });
    const failure = failureOf(pool.acquire());
    await advance(ONE_SECOND);
    expect(await failure).toMatchObject({
      code: 'ERR_POOL_TIMEOUT',
      reason: 'create-failing',
      cause: REFUSED,
    });
    expect(pool.stats()).toMatchObject({ size: 0, creating: 0, waiting: 0 });
  });

  it('the tries are spaced out, twice as long each time up to a second, with jitter', async () => {
    const { pool, factory } = aPool({ acquireTimeoutMs: 0 });
    factory.creates.manner = 'rejects';
    const moments = momentsOf(factory);
    void pool.acquire();
    await advance(10 * ONE_SECOND);
    const pauses = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0));
    const ceilings = pauses.map((_, index) => Math.min(1_000, 50 * 2 ** index));
    expect(pauses.length).toBeGreaterThanOrEqual(10);
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual((ceilings[index] ?? 0) / 2 - 1);
      expect(pause).toBeLessThanOrEqual((ceilings[index] ?? 0) + 1);
    }
  });

  it('many callers cause no more tries than one', async () => {
    const { pool, factory } = aPool({ max: 50, acquireTimeoutMs: ONE_SECOND });
    factory.creates.next(50, 'rejects', REFUSED);
    factory.creates.manner = 'rejects';
    const failures = Array.from({ length: 200 }, () => failureOf(pool.acquire()));
    await advance(0);
    const atOnce = factory.creates.calls;
    expect(atOnce).toBeLessThanOrEqual(50);
    await advance(ONE_SECOND);
    expect(factory.creates.calls - atOnce).toBeLessThanOrEqual(10);
    await Promise.all(failures);
  });

  it('nothing is tried any more once nobody waits', async () => {
    const { pool, factory } = aPool({ acquireTimeoutMs: 100 });
    factory.creates.manner = 'rejects';
    const failure = failureOf(pool.acquire());
    await advance(100);
    await failure;
    const { calls } = factory.creates;
    await advance(60 * ONE_SECOND);
    expect(factory.creates.calls).toBe(calls);
  });

  it('a caller who waited through the outage is served after it', async () => {
    const { pool, factory } = aPool();
    factory.creates.next(4, 'rejects', REFUSED);
    const callers = [pool.acquire(), pool.acquire()].map(watch);
    await advance(2 * ONE_SECOND);
    expect(callers.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled']);
    expect(pool.stats()).toMatchObject({ leased: 2, createFailures: 4 });
  });

  it('the failures are told and counted', async () => {
    const { pool, factory } = aPool();
    factory.creates.next(2, 'rejects', REFUSED);
    const told: unknown[] = [];
    pool.events$.subscribe((event) => event.type === 'create-failed' && told.push(event.error));
    const caller = pool.acquire();
    await advance(ONE_SECOND);
    await caller;
    expect(told).toEqual([REFUSED, REFUSED]);
    expect(pool.stats()).toMatchObject({ createFailures: 2, created: 1 });
  });

  it('min is not given up: it is refilled by itself after the outage', async () => {
    const { pool, factory } = aPool({ min: 3 });
    await pool.start();
    factory.creates.manner = 'rejects';
    for (const resource of [...factory.created]) factory.lose(resource);
    await advance(30 * ONE_SECOND);
    expect(pool.stats()).toMatchObject({ size: 0 });
    factory.creates.manner = 'works';
    await advance(ONE_SECOND);
    expect(pool.stats()).toMatchObject({ idle: 3, size: 3 });
  });
});

describe('a resource that breaks before anybody had it', () => {
  /** No pause between two tries is shorter than 25 ms. */
  const mostTriesIn = (ms: number) => ms / 25;

  function breaksAfter(factory: FakeFactory, ms: number) {
    const { watch: watchIt } = factory;
    factory.watch = (resource, broken) => {
      watchIt(resource, broken);
      if (ms === 0) broken(REFUSED);
      else setTimeout(() => broken(REFUSED), ms);
    };
  }

  it('counts as one that could not be opened: no hot loop, and the caller hears why', async () => {
    const { pool, factory } = aPool();
    breaksAfter(factory, 0);
    const failure = failureOf(pool.acquire({ timeoutMs: 2_000 }));
    await advance(2_000);
    expect(factory.creates.calls).toBeLessThanOrEqual(mostTriesIn(2_000));
    expect(await failure).toMatchObject({ reason: 'create-failing', cause: REFUSED });
  });

  it('is not opened again and again without a pause to keep min', async () => {
    const { pool, factory } = aPool({ min: 1 });
    breaksAfter(factory, 1);
    await pool.start();
    await advance(2_000);
    expect(factory.creates.calls).toBeLessThanOrEqual(mostTriesIn(2_000));
  });

  it('lets the pauses grow, however many are wanted: a server that hangs up at once is not stormed', async () => {
    const { pool, factory } = aPool({ min: 10, max: 10 });
    breaksAfter(factory, 2);
    await pool.start().catch(() => undefined);
    await advance(4 * ONE_SECOND);
    expect(factory.creates.calls).toBeLessThanOrEqual(15 * 10);
  });

  it('is no failure when it lasted: the next one is opened at once', async () => {
    const { pool, factory } = aPool({ max: 8 });
    pool.resize({ min: 8 });
    await pool.start();
    pool.resize({ min: 0 });
    for (const resource of [...factory.created]) {
      await advance(2 * ONE_SECOND);
      factory.lose(resource);
    }
    const caller = watch(pool.acquire());
    await advance(0);
    expect(caller.state).toBe('fulfilled');
    expect(pool.stats()).toMatchObject({ size: 1, breaker: 'closed' });
  });
});
