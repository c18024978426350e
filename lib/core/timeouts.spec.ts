import { describe, expect, it, jest } from '@jest/globals';
import { FakeFactory, type FakeResource } from '../../test/support/fake-factory.js';
import { advance, failureOf, useFakeTime } from '../../test/support/fake-time.js';
import { PoolTimeoutError } from './pool.errors.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

function aPool(options: PoolOptions = {}, factory = new FakeFactory()) {
  return { factory, pool: new ResourcePool('p', factory, { max: 2, acquireTimeoutMs: 500, ...options }) };
}

/** Lets a caller wait in vain. */
async function timeOut(pool: ResourcePool<FakeResource>, timeoutMs = 500): Promise<PoolTimeoutError> {
  const failure = failureOf(pool.acquire({ timeoutMs }));
  await advance(timeoutMs);
  const error = await failure;
  if (!(error instanceof PoolTimeoutError)) throw new Error('not a PoolTimeoutError', { cause: error });
  return error;
}

describe('a PoolTimeoutError', () => {
  it('has a code, the numbers of the pool at that moment, and no cause where there is none', async () => {
    const { pool } = aPool();
    await Promise.all([pool.acquire(), pool.acquire()]);
    const error = await timeOut(pool);
    expect(error).toMatchObject({
      name: 'PoolTimeoutError',
      code: 'ERR_POOL_TIMEOUT',
      pool: 'p',
      waitedMs: 500,
      stats: { leased: 2, max: 2, idle: 0, creating: 0, closing: 0, waiting: 1 },
    });
    expect(Object.hasOwn(error, 'cause')).toBe(false);
    expect(error.message).toContain('(leased 2/2, idle 0, creating 0, closing 0, waiting 1)');
  });

  it('says that all resources were leased, and for how long', async () => {
    const { pool } = aPool();
    await pool.acquire();
    await advance(100);
    await pool.acquire();
    const error = await timeOut(pool);
    expect(error.reason).toBe('leased');
    expect(error.holders).toEqual([{ heldMs: 600 }, { heldMs: 500 }]);
    expect(error.message).toContain(
      '[pool "p"] no resource within 500 ms: all 2 resources are leased, the oldest for 600 ms; raise max',
    );
  });

  it('names the places of the holders while leakThresholdMs is on', async () => {
    const { pool } = aPool({ max: 1, leakThresholdMs: 60_000 });
    await pool.acquire();
    const error = await timeOut(pool);
    expect(error.holders[0]?.acquiredAt).toContain('timeouts.spec.ts');
    expect(error.message).toContain('timeouts.spec.ts');
  });

  it('names the five who hold the longest, and no more', async () => {
    const { pool } = aPool({ max: 7 });
    for (let each = 0; each < 7; each += 1) {
      await pool.acquire();
      await advance(10);
    }
    const { holders } = await timeOut(pool);
    expect(holders.map(({ heldMs }) => heldMs)).toEqual([570, 560, 550, 540, 530]);
  });

  it('says that creating fails, and why', async () => {
    const { pool, factory } = aPool();
    const refused = new Error('connect ECONNREFUSED 127.0.0.1:6379');
    Object.assign(factory.creates, { manner: 'rejects', error: refused });
    const error = await timeOut(pool);
    expect(error.reason).toBe('create-failing');
    expect(error.cause).toBe(refused);
    expect(error.message).toContain('creating a resource keeps failing: connect ECONNREFUSED 127.0.0.1:6379');
  });

  it('says that creating fails when what there is is leased and no more can be opened', async () => {
    const { pool, factory } = aPool();
    await pool.acquire();
    factory.creates.manner = 'throws';
    const error = await timeOut(pool);
    expect(error).toMatchObject({ reason: 'create-failing', cause: factory.creates.error });
  });

  it('says that creating timed out', async () => {
    const { pool, factory } = aPool({ createTimeoutMs: 200 });
    factory.creates.manner = 'hangs';
    const error = await timeOut(pool);
    expect(error.reason).toBe('create-failing');
    expect(error.cause).toMatchObject({
      code: 'ERR_POOL_FACTORY',
      message: '[pool "p"] creating a resource took longer than 200 ms',
    });
  });

  it('does not blame a failure from before the caller came', async () => {
    const { pool, factory } = aPool();
    factory.creates.next(1, 'rejects');
    await timeOut(pool, 10);
    await advance(60_000);
    factory.creates.ms = 3_000;
    const error = await timeOut(pool);
    expect(error.reason).toBe('create-slow');
    expect(error.cause).toBeUndefined();
  });

  it('does not blame a failure after which another one could be opened', async () => {
    const { pool, factory } = aPool();
    factory.creates.next(1, 'rejects');
    const [, late] = [pool.acquire(), failureOf(pool.acquire())];
    await advance(0);
    factory.creates.ms = 3_000;
    await advance(500);
    expect(await late).toMatchObject({ reason: 'create-slow' });
  });

  it('blames a failure from before the caller came as long as nothing is tried again', async () => {
    const { pool, factory } = aPool();
    factory.creates.manner = 'rejects';
    void failureOf(pool.acquire({ timeoutMs: 5_000 }));
    await advance(60);
    const error = await timeOut(pool, 5);
    expect(error).toMatchObject({ reason: 'create-failing', cause: factory.creates.error });
  });

  it.each(['creates', 'validates'] as const)(
    'says that the resource is slow while the factory still %s it',
    async (what) => {
      const { pool, factory } = aPool(
        { max: 1, validateAfterIdleMs: 0 },
        new FakeFactory({ validate: true }),
      );
      if (what === 'validates') await (await pool.acquire()).release();
      factory[what].ms = 3_000;
      const error = await timeOut(pool);
      expect(error.reason).toBe('create-slow');
      expect(error.message).toContain('1 being created or checked had not finished');
    },
  );

  it('says that the pool is suspended', async () => {
    const { pool } = aPool();
    pool.suspend();
    const error = await timeOut(pool);
    expect(error.reason).toBe('suspended');
    expect(error.message).toContain('the pool is suspended; call resume()');
  });

  it('does not blame holders who are none: what is still being closed is no lease', async () => {
    const { pool, factory } = aPool({ max: 1 });
    factory.destroys.manner = 'hangs';
    void (await pool.acquire()).destroy();
    const error = await timeOut(pool);
    expect(error.message).toContain('closing 1');
    expect(error.message).not.toContain('all 0 resources are leased');
    expect(error.message).not.toContain('never released');
  });

  it('says that the event loop was blocked when the deadline passed unnoticed', async () => {
    const { pool } = aPool({ max: 1 });
    await pool.acquire();
    const failure = failureOf(pool.acquire());
    const now = performance.now.bind(performance);
    const blocked = jest.spyOn(performance, 'now').mockImplementation(() => now() + 800);
    await advance(500);
    blocked.mockRestore();
    expect(await failure).toMatchObject({
      reason: 'event-loop-blocked',
      waitedMs: 1_300,
      overdueMs: 800,
      message: expect.stringContaining('no resource within 1300 ms: the event loop was blocked for 800 ms'),
    });
  });

  it('is told to whoever observes the pool, and counted', async () => {
    const { pool } = aPool({ max: 1 });
    await pool.acquire();
    const told: unknown[] = [];
    pool.events$.subscribe((event) => event.type === 'timed-out' && told.push(event.error));
    const error = await timeOut(pool);
    expect(told).toEqual([error]);
    expect(told[0]).toBe(error);
    expect(pool.stats()).toMatchObject({ timeouts: 1, waiting: 0 });
  });
});
