import { describe, expect, it } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { advance, failureOf, useFakeTime, watch } from '../../test/support/fake-time.js';
import { PoolTimeoutError, PoolUnavailableError } from './pool.errors.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

const REFUSED = new Error('ECONNREFUSED');
const LONG_ENOUGH = 2_000;

/** A pool whose factory fails, and somebody who found that out. */
async function aPoolThatIsDown(options: PoolOptions = {}) {
  const factory = new FakeFactory();
  const pool = new ResourcePool('p', factory, { max: 4, ...options });
  const told: string[] = [];
  pool.events$.subscribe(({ type }) => type.startsWith('breaker') && told.push(type));
  Object.assign(factory.creates, { manner: 'rejects', error: REFUSED });
  const firstCaller = failureOf(pool.acquire({ timeoutMs: LONG_ENOUGH }));
  await advance(LONG_ENOUGH);
  return { pool, factory, told, firstCaller };
}

describe('a pool of which try after try fails', () => {
  it('refuses newcomers at once, with the real cause', async () => {
    const { pool, told } = await aPoolThatIsDown();
    const refusal = watch(pool.acquire());
    await advance(0);
    expect(refusal.reason).toBeInstanceOf(PoolUnavailableError);
    expect(refusal.reason).toMatchObject({ code: 'ERR_POOL_UNAVAILABLE', pool: 'p', cause: REFUSED });
    expect(pool.stats()).toMatchObject({ waiting: 0 });
    expect(told).toEqual(['breaker-opened']);
  });

  it('refuses nobody after the first failures: the next try may do', async () => {
    const factory = new FakeFactory();
    const pool = new ResourcePool('p', factory, { max: 4 });
    factory.creates.next(3, 'rejects', REFUSED);
    const first = watch(pool.acquire());
    await advance(60);
    const second = watch(pool.acquire());
    await advance(1_000);
    expect([first.state, second.state]).toEqual(['fulfilled', 'fulfilled']);
  });

  it('lets whoever waited already know by his deadline', async () => {
    const { firstCaller } = await aPoolThatIsDown();
    expect(await firstCaller).toBeInstanceOf(PoolTimeoutError);
    expect(await firstCaller).toMatchObject({ reason: 'create-failing', cause: REFUSED });
  });

  it('goes on trying, one try at a time and at most twice a second', async () => {
    const { pool, factory } = await aPoolThatIsDown();
    const { calls } = factory.creates;
    factory.creates.ms = 10;
    const refusals = Array.from({ length: 100 }, () => failureOf(pool.acquire()));
    let mostAtOnce = 0;
    for (let second = 0; second < 10; second += 0.01) {
      await advance(10);
      mostAtOnce = Math.max(mostAtOnce, factory.opening);
    }
    await Promise.all(refusals);
    expect(mostAtOnce).toBe(1);
    expect(factory.creates.calls - calls).toBeGreaterThanOrEqual(9);
    expect(factory.creates.calls - calls).toBeLessThanOrEqual(21);
  });

  it('heals by itself, and refills min', async () => {
    const { pool, factory, told } = await aPoolThatIsDown({ min: 2 });
    factory.creates.manner = 'works';
    await advance(1_000);
    expect(told).toEqual(['breaker-opened', 'breaker-closed']);
    expect(pool.stats()).toMatchObject({ idle: 2 });
    await expect(pool.acquire()).resolves.toHaveProperty('resource');
  });

  it('lets newcomers wait as long as there is something that may come back', async () => {
    const factory = new FakeFactory();
    const pool = new ResourcePool('p', factory, { max: 4 });
    const lease = await pool.acquire();
    Object.assign(factory.creates, { manner: 'rejects', error: REFUSED });
    const late = failureOf(pool.acquire({ timeoutMs: LONG_ENOUGH }));
    await advance(LONG_ENOUGH);
    await late;
    const caller = watch(pool.acquire());
    await advance(0);
    expect(caller.state).toBe('pending');
    await lease.release();
    await advance(0);
    expect(caller.state).toBe('fulfilled');
  });

  it('can be drained at once', async () => {
    const { pool, factory } = await aPoolThatIsDown();
    await expect(pool.drain()).resolves.toMatchObject({ clean: true });
    const { calls } = factory.creates;
    await advance(60_000);
    expect(factory.creates.calls).toBe(calls);
  });

  it('heals by itself although nobody asks: what it has left is enough for all', async () => {
    const factory = new FakeFactory();
    const pool = new ResourcePool('p', factory, { max: 4, idleTimeoutMs: 0 });
    const lease = await pool.acquire();
    Object.assign(factory.creates, { manner: 'rejects', error: REFUSED });
    const late = failureOf(pool.acquire({ timeoutMs: LONG_ENOUGH }));
    await advance(LONG_ENOUGH);
    await late;
    await lease.release();
    expect(pool.stats()).toMatchObject({ breaker: 'open', idle: 1 });
    factory.creates.manner = 'works';
    await advance(1_000);
    expect(pool.stats()).toMatchObject({ breaker: 'closed' });
  });
});
