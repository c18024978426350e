import { describe, expect, it, jest } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { advance, failureOf, sleep, useFakeTime } from '../../test/support/fake-time.js';
import type { PoolEvent } from './pool.events.js';
import type { PoolOptions } from './pool.options.js';
import type { PoolStats } from './pool.stats.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

function aPool(options: PoolOptions = {}) {
  const factory = new FakeFactory();
  const pool = new ResourcePool('p', factory, options);
  const story: PoolEvent[] = [];
  pool.events$.subscribe((event) => story.push(event));
  return { pool, factory, story };
}

const typesOf = (story: readonly PoolEvent[]) => story.map(({ type }) => type);

describe('stats()', () => {
  it('tells everything there is to count', async () => {
    const { pool, factory } = aPool({ min: 1, max: 2 });
    factory.creates.ms = 20;
    const [one, two] = [pool.acquire(), pool.acquire()];
    await advance(20);
    const late = failureOf(pool.acquire({ timeoutMs: 30 }));
    const waiting = pool.acquire();
    await advance(30);
    await late;
    await (await one).release();
    await waiting;
    await (await two).destroy();
    expect(pool.stats()).toEqual({
      name: 'p',
      state: 'open',
      size: 1,
      idle: 0,
      leased: 1,
      creating: 0,
      closing: 0,
      waiting: 0,
      min: 1,
      max: 2,
      acquired: 3,
      created: 2,
      destroyed: 1,
      timeouts: 1,
      createFailures: 0,
      breaker: 'closed',
      waitMs: expect.any(Object),
      useMs: expect.any(Object),
      createMs: expect.any(Object),
    });
  });

  it('tells how long things take, within two digits', async () => {
    const { pool, factory } = aPool({ max: 1 });
    factory.creates.ms = 40;
    const first = pool.use(() => sleep(100));
    const second = pool.use(() => sleep(300));
    await advance(440);
    await Promise.all([first, second]);
    const { waitMs, useMs, createMs } = pool.stats();
    expect(createMs.max / 40).toBeCloseTo(1, 1);
    expect(waitMs.max / 140).toBeCloseTo(1, 1);
    expect(useMs.p50 / 100).toBeCloseTo(1, 1);
    expect(useMs.p99 / 300).toBeCloseTo(1, 1);
  });

  it('has zeros before anything happened', () => {
    const nothing = { p50: 0, p99: 0, max: 0 };
    expect(aPool().pool.stats()).toMatchObject({
      waitMs: nothing,
      useMs: nothing,
      createMs: nothing,
      acquired: 0,
    });
  });

  it('survives durations of any length', async () => {
    const { pool } = aPool({ maxLifetimeMs: 0 });
    const lease = await pool.acquire();
    await jest.advanceTimersByTimeAsync(0);
    const later = performance.now() + 30 * 24 * 3_600_000;
    const now = jest.spyOn(performance, 'now').mockReturnValue(later);
    await lease.release();
    now.mockRestore();
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 });
  });

  it('is a snapshot: it does not change, and reading it changes nothing', async () => {
    const { pool, factory, story } = aPool({ min: 2 });
    const before = pool.stats();
    const copy = structuredClone(before);
    expect(pool.stats()).toEqual(before);
    expect(factory.creates.calls).toBe(0);
    await pool.acquire();
    expect(before).toEqual(copy);
    const told = story.length;
    for (let times = 0; times < 10; times += 1) pool.stats();
    expect(story).toHaveLength(told);
  });
});

describe('events$', () => {
  it('tells the life of a resource, as it happens', async () => {
    const { pool, story } = aPool();
    const lease = await pool.acquire();
    await advance(20);
    await lease.release();
    await (await pool.acquire()).destroy('poisoned');
    expect(story).toEqual([
      { pool: 'p', type: 'created', createMs: 0 },
      { pool: 'p', type: 'acquired', waitMs: 0 },
      { pool: 'p', type: 'released', useMs: 20 },
      { pool: 'p', type: 'acquired', waitMs: 0 },
      { pool: 'p', type: 'released', useMs: 0 },
      { pool: 'p', type: 'destroyed', reason: 'poisoned' },
    ]);
  });

  it('tells failures and time-outs', async () => {
    const { pool, factory, story } = aPool({ acquireTimeoutMs: 20 });
    factory.creates.manner = 'rejects';
    const failure = failureOf(pool.acquire());
    await advance(20);
    expect(story).toEqual([
      { pool: 'p', type: 'create-failed', error: factory.creates.error },
      { pool: 'p', type: 'timed-out', error: await failure },
    ]);
  });

  it('tells every state, the report of a drain, and then completes', async () => {
    const { pool, story } = aPool();
    const completed = jest.fn();
    pool.events$.subscribe({ complete: completed });
    pool.suspend();
    pool.resume();
    const report = await pool.drain();
    expect(story).toEqual([
      ...['suspended', 'open', 'draining', 'closed'].map((state) => ({
        pool: 'p',
        type: 'state-changed',
        state,
      })),
      { pool: 'p', type: 'drained', report },
    ]);
    expect(completed).toHaveBeenCalledTimes(1);
  });

  it('tells why a resource was closed', async () => {
    const { pool, factory, story } = aPool({ max: 2, maxUses: 2, idleTimeoutMs: 1_000 });
    await (await pool.acquire()).destroy();
    factory.lose((await pool.acquire()).resource);
    for (let use = 0; use < 2; use += 1) await pool.use(() => undefined);
    await pool.use(() => undefined);
    await advance(2_000);
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    pool.resize({ max: 1 });
    await leases[0].release();
    const drained = pool.drain({ timeoutMs: 10 });
    await advance(10);
    await drained;
    const reasons = story.flatMap((event) => (event.type === 'destroyed' ? [event.reason] : []));
    expect(reasons).toEqual(['discarded', 'broken', 'uses', 'idle', 'surplus', 'revoked']);
  });

  it('cannot be hurt by a listener that throws', async () => {
    const { pool, story } = aPool();
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const boom = new Error('boom');
    pool.events$.subscribe(() => {
      throw boom;
    });
    await pool.use(() => undefined);
    expect(warn).toHaveBeenCalledWith(boom, expect.anything());
    warn.mockRestore();
    expect(typesOf(story)).toEqual(['created', 'acquired', 'released']);
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 });
  });

  it('lets a listener use the pool at once', async () => {
    const { pool } = aPool({ max: 1 });
    const nested: Promise<unknown>[] = [];
    pool.events$.subscribe(({ type }) => {
      if (type === 'released' && nested.length < 3) nested.push(pool.use(() => undefined));
    });
    await pool.use(() => undefined);
    await advance(0);
    await Promise.all(nested);
    expect(nested).toHaveLength(3);
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1, waiting: 0 });
  });
});

describe('stats$()', () => {
  it('gives a snapshot at once and then every so often, until the pool is closed', async () => {
    const { pool } = aPool();
    const seen: PoolStats[] = [];
    const completed = jest.fn();
    pool.stats$(100).subscribe({ next: (stats) => seen.push(stats), complete: completed });
    expect(seen).toEqual([pool.stats()]);
    await pool.acquire();
    await advance(250);
    expect(seen.map(({ leased }) => leased)).toEqual([0, 1, 1]);
    void pool.drain({ timeoutMs: 0 });
    await advance(0);
    expect(completed).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('looks every second by default, and at nothing any more once nobody listens', async () => {
    const { pool } = aPool();
    const seen: PoolStats[] = [];
    const subscription = pool.stats$().subscribe((stats) => seen.push(stats));
    await advance(3_000);
    subscription.unsubscribe();
    await advance(3_000);
    expect(seen).toHaveLength(4);
  });

  it('completes at once on a closed pool', async () => {
    const { pool } = aPool();
    await pool.drain();
    const completed = jest.fn();
    pool.stats$().subscribe({ complete: completed });
    expect(completed).toHaveBeenCalledTimes(1);
  });
});
