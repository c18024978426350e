import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it, jest } from '@jest/globals';
import { FakeFactory, type FakeResource } from '../../test/support/fake-factory.js';
import { advance, failureOf, sleep, useFakeTime, watch } from '../../test/support/fake-time.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

const REFUSED = new Error('ECONNREFUSED');
const ONE_SECOND = 1_000;

function aPool(options: PoolOptions = {}, factory = new FakeFactory()) {
  return { factory, pool: new ResourcePool('p', factory, { max: 4, ...options }) };
}

describe('a resource that takes too long to open', () => {
  it('is given up after createTimeoutMs, and its factory is told', async () => {
    const { pool, factory } = aPool({ max: 1, createTimeoutMs: 200 });
    factory.creates.next(1, 'hangs');
    const caller = watch(pool.acquire());
    await advance(199);
    expect(factory.opening).toBe(1);
    await advance(1);
    expect(factory.opening).toBe(0);
    await advance(50);
    expect(caller.state).toBe('fulfilled');
  });

  it('is destroyed when it arrives late', async () => {
    const { pool, factory } = aPool({ max: 1, createTimeoutMs: 200, acquireTimeoutMs: 210 });
    factory.heedsAbort = false;
    factory.creates.ms = 300;
    const failure = failureOf(pool.acquire());
    await advance(300);
    expect(factory.destroyed).toEqual([factory.created[0]]);
    expect(await failure).toMatchObject({ reason: 'create-failing' });
  });

  it('is left alone when it arrives late and somebody has it already', async () => {
    const { pool, factory } = aPool({ max: 2, createTimeoutMs: 200, acquireTimeoutMs: 210 });
    const same = { id: 1 };
    factory.make = () => same;
    const lease = await pool.acquire();
    factory.heedsAbort = false;
    factory.creates.ms = 300;
    const failure = failureOf(pool.acquire());
    await advance(500);
    expect(await failure).toMatchObject({ reason: 'create-failing' });
    expect(factory.destroyed).toEqual([]);
    expect(lease.resource).toBe(same);
  });

  it('and fails late harms nobody', async () => {
    const { pool, factory } = aPool({ max: 1, createTimeoutMs: 200, acquireTimeoutMs: 210 });
    factory.heedsAbort = false;
    Object.assign(factory.creates, { ms: 300, manner: 'rejects' });
    const failure = failureOf(pool.acquire());
    await advance(400);
    expect(await failure).toMatchObject({ reason: 'create-failing' });
    expect(pool.stats()).toMatchObject({ size: 0 });
  });
});

describe('what the factory gives', () => {
  it.each([undefined, null])('is a failure when it is %p', async (nothing) => {
    const { pool, factory } = aPool({ acquireTimeoutMs: 100 });
    factory.make = () => nothing as unknown as FakeResource;
    const failure = failureOf(pool.acquire());
    await advance(100);
    expect(await failure).toMatchObject({
      cause: { code: 'ERR_POOL_FACTORY', message: `[pool "p"] create() gave ${nothing}` },
    });
    expect(factory.destroyed).toEqual([]);
  });

  it.each([0, '', false])('is a resource when it is %p', async (primitive) => {
    const factory = { create: () => Promise.resolve(primitive), destroy: () => Promise.resolve() };
    const pool = new ResourcePool<unknown>('p', factory);
    const lease = await pool.acquire();
    expect(lease.resource).toBe(primitive);
  });

  it.each([
    ['one after the other', 10],
    ['at once', 0],
  ])('is a failure when the pool has it already: %s', async (_when, pause) => {
    const { pool, factory } = aPool({ acquireTimeoutMs: 100 });
    const same = { id: 1 };
    factory.make = () => same;
    const callers = [watch(pool.acquire())];
    if (pause > 0) await advance(pause);
    callers.push(watch(pool.acquire()));
    await advance(100);
    expect(callers.map(({ state }) => state)).toEqual(['fulfilled', 'rejected']);
    expect(callers[1]?.reason).toMatchObject({
      cause: { message: '[pool "p"] create() gave a resource that the pool has already' },
    });
    expect(factory.destroyed).toEqual([]);
  });

  it('is a failure when the pool has it already: a function', async () => {
    const { pool, factory } = aPool({ acquireTimeoutMs: 100 });
    const same = (() => undefined) as unknown as FakeResource;
    factory.make = () => same;
    const [one, other] = [watch(pool.acquire()), watch(pool.acquire())];
    await advance(100);
    expect([one.state, other.reason]).toEqual([
      'fulfilled',
      expect.objectContaining({ cause: expect.objectContaining({ code: 'ERR_POOL_FACTORY' }) }),
    ]);
  });

  it('may be a thenable that begins its work each time it is asked: it is asked once', async () => {
    const { pool, factory } = aPool({ max: 1, createTimeoutMs: 100, acquireTimeoutMs: 110 });
    const { create } = factory;
    factory.heedsAbort = false;
    factory.creates.ms = 150;
    factory.create = (signal) =>
      ({
        then: (resolve: () => void, reject: () => void) => create(signal).then(resolve, reject),
      }) as unknown as Promise<FakeResource>;
    const failure = failureOf(pool.acquire());
    await advance(500);
    expect(await failure).toMatchObject({ reason: 'create-failing' });
    expect(factory.destroyed).toEqual(factory.created);
    expect(factory.created).toHaveLength(1);
  });

  it('is closed when it cannot be watched', async () => {
    const { pool, factory } = aPool({ acquireTimeoutMs: 40 });
    factory.watch = () => {
      throw REFUSED;
    };
    const failure = failureOf(pool.acquire());
    await advance(40);
    expect(await failure).toMatchObject({ cause: REFUSED });
    expect(factory.live).toBe(0);
  });
});

describe('the async context', () => {
  const store = new AsyncLocalStorage<string>();

  it('of a caller does not reach what the pool does for everybody', async () => {
    const seen: (string | undefined)[] = [];
    const look = () => seen.push(store.getStore());
    const { pool, factory } = aPool(
      { max: 1, validateAfterIdleMs: 0 },
      new FakeFactory({ validate: true, reset: true }),
    );
    const { create, destroy, watch: watchIt } = factory;
    factory.create = (signal) => (look(), create(signal));
    factory.destroy = (resource) => (look(), destroy(resource));
    factory.watch = (resource, broken) => (look(), watchIt(resource, broken));
    factory.validates.answer = () => (look(), true);
    factory.resets.answer = () => (look(), 'keep');
    await store.run('request 1', async () => {
      await (await pool.acquire()).release();
      await (await pool.acquire()).destroy();
    });
    expect(seen).toEqual(Array.from({ length: 5 }, () => undefined));
  });

  it('of a caller is his own again when he is served, by whomever', async () => {
    const { pool } = aPool({ max: 1 });
    const holder = await store.run('request 1', () => pool.acquire());
    const seen = store.run('request 2', () => pool.use(() => store.getStore()));
    const seenLater = store.run('request 3', async () => {
      await (await pool.acquire()).release();
      return store.getStore();
    });
    await store.run('request 1', () => holder.release());
    await advance(0);
    expect([await seen, await seenLater]).toEqual(['request 2', 'request 3']);
  });

  it('of a caller does not reach a retry after a failure', async () => {
    const { pool, factory } = aPool();
    factory.creates.next(3, 'rejects', REFUSED);
    const seen: unknown[] = [];
    const { create } = factory;
    factory.create = (signal) => {
      seen.push(store.getStore());
      return create(signal);
    };
    const caller = store.run('request 1', () => pool.acquire());
    await advance(ONE_SECOND);
    await caller;
    expect(seen).toEqual(Array.from({ length: 4 }, () => undefined));
  });
});

describe('a burst', () => {
  it('of 50 callers is served with the resources that come back, not with 50 new ones', async () => {
    const { pool, factory } = aPool({ min: 5, max: 50 });
    await pool.start();
    factory.creates.ms = 100;
    const served = jest.fn();
    const work = Promise.all(Array.from({ length: 50 }, () => pool.use(() => sleep(1)).then(served)));
    await advance(20);
    expect(served).toHaveBeenCalledTimes(50);
    await advance(100);
    await work;
    expect(factory.creates.calls).toBeLessThan(50);
  });

  it('opens no more than callers wait for', async () => {
    const { pool, factory } = aPool({ max: 50 });
    factory.creates.ms = 100;
    const callers = [pool.acquire(), pool.acquire(), pool.acquire()];
    await advance(100);
    await Promise.all(callers);
    expect(factory.creates.calls).toBe(3);
  });

  it('is not held up by resources of which nobody says whether they can be reset', async () => {
    const { pool, factory } = aPool({ max: 20 }, new FakeFactory({ reset: true }));
    const leases = await Promise.all(Array.from({ length: 10 }, () => pool.acquire()));
    factory.resets.manner = 'hangs';
    for (const lease of leases) void lease.release();
    const callers = Array.from({ length: 11 }, () => watch(pool.acquire()));
    await advance(0);
    expect(callers[0]?.state).toBe('fulfilled');
  });

  it('that is over before the resources are there opens nothing more', async () => {
    const { pool, factory } = aPool({ max: 5, acquireTimeoutMs: 50 });
    factory.creates.ms = 100;
    const failures = Array.from({ length: 50 }, () => failureOf(pool.acquire()));
    await advance(50);
    await Promise.all(failures);
    await advance(1_000);
    expect(factory.creates.calls).toBe(5);
    expect(pool.stats()).toMatchObject({ idle: 5, waiting: 0 });
  });
});
