import { createHook } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { ResourcePool } from './resource-pool.js';

/** How many promises and timers `work` makes. */
function costOf(work: () => void): { promises: number; timers: number } {
  const made: string[] = [];
  const hook = createHook({ init: (_id, type) => void made.push(type) });
  hook.enable();
  work();
  hook.disable();
  return {
    promises: made.filter((type) => type === 'PROMISE').length,
    timers: made.filter((type) => type === 'Timeout').length,
  };
}

describe('a caller who finds an idle resource', () => {
  let pool: ResourcePool<object>;

  beforeEach(async () => {
    pool = new ResourcePool('p', new FakeFactory(), { min: 2 });
    await pool.start();
  });

  afterEach(() => pool.drain({ timeoutMs: 0 }));

  it('costs one promise, that of the lease, and no timer', () => {
    expect(costOf(() => void pool.acquire())).toEqual({ promises: 1, timers: 0 });
  });

  it('costs no more with a deadline, a signal and a priority', () => {
    const { signal } = new AbortController();
    const cost = costOf(() => void pool.acquire({ timeoutMs: 1_000, signal, priority: 'high' }));
    expect(cost).toEqual({ promises: 1, timers: 0 });
  });

  it('costs nothing to take back from', async () => {
    const lease = await pool.acquire();
    expect(costOf(() => void lease.release())).toEqual({ promises: 0, timers: 0 });
  });
});
