import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import type { PoolEvent } from './pool.events.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const MANY = 100;
const A_FEW = 5;

/** Collects garbage until `holds()`, or gives up. */
async function collectUntil(holds: () => boolean, turns = MANY): Promise<void> {
  for (let each = 0; each < turns && !holds(); each += 1) {
    collectGarbage();
    await turn();
  }
}

function aPool(options: PoolOptions = {}) {
  const factory = new FakeFactory();
  const pool = new ResourcePool('p', factory, { max: 2, leakThresholdMs: 60_000, ...options });
  const leaks: PoolEvent[] = [];
  pool.events$.subscribe((event) => void (event.type === 'leaked' && leaks.push(event)));
  return { factory, pool, leaks };
}

/** A function of its own, so that nothing of the lease stays on the stack. */
async function forgetALease(pool: ResourcePool<unknown>): Promise<void> {
  await pool.acquire();
}

describe('a lease that was forgotten', () => {
  it('is found when it is collected: its resource is closed, and its place is free', async () => {
    const { factory, pool, leaks } = aPool();
    await forgetALease(pool);
    await collectUntil(() => leaks.length > 0);
    expect(leaks).toEqual([
      {
        pool: 'p',
        type: 'leaked',
        collected: true,
        heldMs: expect.any(Number),
        acquiredAt: expect.stringContaining('forgetALease'),
      },
    ]);
    await turn();
    expect(pool.stats()).toMatchObject({ size: 0, leased: 0 });
    expect(factory.destroyed).toHaveLength(1);
    await pool.drain();
  });

  it('lets those who wait have its place', async () => {
    const { pool } = aPool({ max: 1 });
    await forgetALease(pool);
    let served = false;
    const waiting = pool.use(() => (served = true), { timeoutMs: 0 });
    await collectUntil(() => served);
    await expect(waiting).resolves.toBe(true);
    await pool.drain();
  });

  it('is not mistaken for one that was given back, or that is in use', async () => {
    const { factory, pool, leaks } = aPool();
    for (let each = 0; each < 20; each += 1) await pool.use(() => undefined);
    const held = await pool.acquire();
    await collectUntil(() => leaks.length > 0, A_FEW);
    expect(leaks).toEqual([]);
    expect(factory.destroyed).toEqual([]);
    expect(held.resource).toBeDefined();
    await held.release();
    await pool.drain();
  });
});
