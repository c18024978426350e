import { describe, expect, it } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { advance, failureOf, useFakeTime, watch } from '../../test/support/fake-time.js';
import { PoolClosedError } from './pool.errors.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

function aPool(options?: PoolOptions, factory = new FakeFactory()) {
  return { factory, pool: new ResourcePool('p', factory, options) };
}

describe('suspend() and resume()', () => {
  it('let callers wait, leave leases alone, and serve the queue in order afterwards', async () => {
    const { pool } = aPool({ max: 1 });
    const holder = await pool.acquire();
    pool.suspend();
    const waiting = [pool.acquire(), pool.acquire()].map(watch);
    await holder.release();
    await advance(100);
    expect(pool.state).toBe('suspended');
    expect(waiting.map(({ state }) => state)).toEqual(['pending', 'pending']);
    pool.resume();
    await advance(0);
    expect(waiting.map(({ state }) => state)).toEqual(['fulfilled', 'pending']);
  });

  it('serve a caller from what lies idle, whatever else is being prepared', async () => {
    const { pool, factory } = aPool({ max: 2 }, new FakeFactory({ reset: true }));
    const [one, two] = await Promise.all([pool.acquire(), pool.acquire()]);
    await one.release();
    factory.resets.manner = 'hangs';
    void two.release();
    pool.suspend();
    const waiting = watch(pool.acquire());
    pool.resume();
    await advance(0);
    expect(waiting.state).toBe('fulfilled');
  });

  it('do nothing to a pool that is not open, or not suspended', async () => {
    const { pool } = aPool();
    pool.resume();
    expect(pool.state).toBe('open');
    await pool.drain();
    pool.suspend();
    pool.resume();
    expect(pool.state).toBe('closed');
  });
});

describe('resize()', () => {
  it('serves those who wait when max grows', async () => {
    const { pool } = aPool({ max: 1 });
    await pool.acquire();
    const waiting = watch(pool.acquire());
    pool.resize({ max: 2 });
    await advance(0);
    expect(waiting.state).toBe('fulfilled');
  });

  it('closes the idle surplus at once and takes nothing from a holder when max shrinks', async () => {
    const { pool, factory } = aPool({ max: 3 });
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    await leases[0].release();
    pool.resize({ max: 1 });
    await advance(0);
    expect(pool.stats()).toMatchObject({ idle: 0, leased: 2, max: 1 });
    await Promise.all([leases[1].release(), leases[2].release()]);
    await advance(0);
    expect(pool.stats()).toMatchObject({ size: 1, idle: 1 });
    expect(factory.live).toBe(1);
  });

  it('opens nothing beyond the new max', async () => {
    const { pool, factory } = aPool({ max: 3 });
    const [one, two] = await Promise.all([pool.acquire(), pool.acquire()]);
    pool.resize({ max: 1 });
    const waiting = watch(pool.acquire());
    await one.release();
    await advance(0);
    expect(waiting.state).toBe('pending');
    await two.release();
    await advance(0);
    expect(waiting.state).toBe('fulfilled');
    expect(factory.created).toHaveLength(2);
  });

  it('opens what a higher min asks for once the pool is in use', async () => {
    const { pool } = aPool({ max: 4 });
    await (await pool.acquire()).release();
    pool.resize({ min: 3 });
    await advance(0);
    expect(pool.stats()).toMatchObject({ idle: 3, min: 3 });
  });

  it('refuses limits that cannot work and keeps the old ones', () => {
    const { pool } = aPool({ min: 1, max: 2 });
    expect(() => pool.resize({ min: 3 })).toThrow('min (3) must not be greater than max (2)');
    expect(() => pool.resize({ max: 0 })).toThrow('max must be an integer >= 1, got 0');
    expect(() => pool.resize({ minimum: 1 } as object)).toThrow('unknown option "minimum"');
    expect(pool.stats()).toMatchObject({ min: 1, max: 2 });
  });

  it('refuses what is no object', () => {
    const { pool } = aPool();
    expect(() => pool.resize(null as unknown as object)).toThrow(
      expect.objectContaining({ code: 'ERR_POOL_OPTIONS' }),
    );
  });

  it('names each problem once, and shows no string that was given', () => {
    const { pool } = aPool({ min: 1, max: 2 });
    const limits = { min: '31', max: 2 } as unknown as { min: number; max: number };
    const problems = ['min must be an integer >= 0, got a string'];
    expect(() => pool.resize(limits)).toThrow(expect.objectContaining({ problems }));
  });
});

describe('start()', () => {
  it('opens min resources and resolves when they are there', async () => {
    const { pool, factory } = aPool({ min: 3 });
    factory.creates.ms = 20;
    const started = watch(pool.start());
    await advance(19);
    expect(started.state).toBe('pending');
    await advance(1);
    expect(started.state).toBe('fulfilled');
    expect(pool.stats()).toMatchObject({ idle: 3 });
  });

  it('counts resources that callers took meanwhile', async () => {
    const { pool, factory } = aPool({ min: 2, max: 2 });
    factory.creates.ms = 20;
    const caller = watch(pool.acquire());
    const started = watch(pool.start());
    await advance(20);
    expect(caller.state).toBe('fulfilled');
    expect(started.state).toBe('fulfilled');
  });

  it('fails with the real cause when they cannot be opened in time, and goes on trying', async () => {
    const { pool, factory } = aPool({ min: 1 });
    const refused = new Error('ECONNREFUSED');
    Object.assign(factory.creates, { manner: 'rejects', error: refused });
    const failure = failureOf(pool.start({ timeoutMs: 500 }));
    await advance(500);
    expect(await failure).toMatchObject({ code: 'ERR_POOL_UNAVAILABLE', cause: refused });
    factory.creates.manner = 'works';
    await advance(1_000);
    expect(pool.stats()).toMatchObject({ idle: 1 });
  });

  it('ends when the pool is drained meanwhile', async () => {
    const { pool, factory } = aPool({ min: 1 });
    factory.creates.manner = 'hangs';
    const failure = failureOf(pool.start());
    void pool.drain({ timeoutMs: 0 });
    await advance(0);
    expect(await failure).toBeInstanceOf(PoolClosedError);
  });

  it('is not needed: nothing is opened before somebody starts or uses the pool', async () => {
    const { pool, factory } = aPool({ min: 2 });
    await advance(10_000);
    expect(factory.creates.calls).toBe(0);
    await (await pool.acquire()).release();
    await advance(0);
    expect(factory.live).toBe(2);
  });
});

describe('options of single calls that make no sense', () => {
  it('are refused before anything is done', async () => {
    const pool = new ResourcePool('p', new FakeFactory(), {});
    await expect(pool.drain({ timeoutMs: 2 ** 31 })).rejects.toThrow('timeoutMs must be milliseconds from 0');
    await expect(pool.drain({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'ERR_POOL_OPTIONS' });
    await expect(pool.start({ timeoutMs: 0 })).rejects.toThrow('timeoutMs must be milliseconds from 1');
    expect(() => pool.stats$(0)).toThrow('everyMs must be milliseconds from 1');
    expect(pool.state).toBe('open');
    await pool.drain({ timeoutMs: 0 });
  });
});
