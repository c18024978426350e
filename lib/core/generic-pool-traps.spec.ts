import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect } from '@jest/globals';
import { type Given, type Held, trap } from '../../test/support/fake-pools.js';
import { advance, failureOf, sleep, useFakeTime, watch } from '../../test/support/fake-time.js';
import type { PoolOptions } from './pool.options.js';

/**
 * What bare generic-pool gets wrong, each as a behaviour that ours has. Every check is run on both, so each is known to fail
 * where the behaviour is missing.
 */
useFakeTime();

const ONE = { ours: { max: 1 }, theirs: { max: 1 } };

describe('one resource, one holder', () => {
  trap('never lends what it has closed', {
    async check({ pool, factory }) {
      await (await pool.acquire()).release();
      await pool.closeIdle();
      const next = await pool.acquire();
      expect(factory.destroyed).not.toContain(next.resource);
    },
  });

  trap('does not end the lease of the next holder when the last one releases twice', {
    ...ONE,
    async check({ pool }) {
      const mine = await pool.acquire();
      await mine.release();
      await pool.acquire();
      await mine.release().catch(() => undefined);
      const third = watch(pool.acquire());
      await advance(0);
      expect(third.state).toBe('pending');
    },
  });

  trap('does not mind a second release', {
    async check({ pool }) {
      const held = await pool.acquire();
      await held.release();
      await expect(held.release()).resolves.toBeUndefined();
    },
  });

  trap('does not end the lease of the next holder when a task gave its resource back early', {
    ...ONE,
    async check({ pool }) {
      await pool.use(async (held) => {
        await held.release();
        await pool.acquire();
      });
      const third = watch(pool.acquire());
      await advance(0);
      expect(third.state).toBe('pending');
    },
  });

  trap('does not lend the same object twice when the factory gives it twice', {
    ours: { max: 2 },
    theirs: { max: 2, acquireTimeoutMillis: 100 },
    async check({ pool, factory }) {
      const same = { id: 1 };
      factory.make = () => same;
      await pool.acquire();
      const second = watch(pool.acquire({ timeoutMs: 100 }));
      await advance(100);
      expect(second.state).toBe('rejected');
    },
  });

  trap('never has more resources than max, those being closed included', {
    ours: { max: 2 },
    theirs: { max: 2 },
    async check({ pool, factory }) {
      factory.destroys.ms = 100;
      for (let round = 0; round < 5; round += 1) {
        const callers = [watch(pool.acquire()), watch(pool.acquire())];
        await advance(100);
        for (const { value } of callers) void value?.destroy();
      }
      expect(factory.peak).toBeLessThanOrEqual(2);
    },
  });

  trap('has closed a resource when its destroy() resolves', {
    async check({ pool, factory }) {
      factory.destroys.ms = 100;
      const destroyed = watch((await pool.acquire()).destroy());
      await advance(99);
      expect(destroyed.state).toBe('pending');
      await advance(1);
      expect(destroyed.state).toBe('fulfilled');
    },
  });
});

describe('use()', () => {
  const comesBackAfter = (task: () => unknown) => ({
    ...ONE,
    async check({ pool }: Given) {
      await pool.use(task).catch(() => undefined);
      const next = watch(pool.acquire());
      await advance(0);
      expect(next.state).toBe('fulfilled');
    },
  });

  trap(
    'gives the resource back when the task returns something that is no promise',
    comesBackAfter(() => 'done'),
  );

  trap(
    'gives the resource back when the task throws synchronously',
    comesBackAfter(() => {
      throw new Error('boom');
    }),
  );

  trap('keeps the resource when the task fails', {
    async check({ pool, factory }) {
      await pool.use(() => Promise.reject(new Error('boom'))).catch(() => undefined);
      expect(factory.destroyed).toEqual([]);
    },
  });
});

describe('waiting', () => {
  trap('lets each caller have a deadline of its own', {
    ...ONE,
    async check({ pool }) {
      await pool.acquire();
      const hasty = watch(pool.acquire({ timeoutMs: 50 }));
      await advance(50);
      expect(hasty.state).toBe('rejected');
    },
  });

  trap('gives nothing to a caller who left', {
    ...ONE,
    async check({ pool }) {
      const holder = await pool.acquire();
      const client = new AbortController();
      pool.acquire({ signal: client.signal }).catch(() => undefined);
      const staying = watch(pool.acquire());
      client.abort();
      await holder.release();
      await advance(0);
      expect(staying.state).toBe('fulfilled');
    },
  });

  trap('does not let a low priority starve', {
    ours: { max: 1, acquireTimeoutMs: 0 },
    theirs: { max: 1, priorityRange: 3 },
    async check({ pool }) {
      let holder: Held | undefined = await pool.acquire();
      const low = watch(pool.acquire({ priority: 'low' }));
      for (let turn = 0; turn < 100 && low.state === 'pending'; turn += 1) {
        const high = watch(pool.acquire({ priority: 'high' }));
        await holder?.release();
        await advance(100);
        holder = high.value;
      }
      expect(low.state).toBe('fulfilled');
    },
  });

  trap('says by a code who is refused, by which pool and why', {
    ours: { max: 1, maxWaiting: 1, acquireTimeoutMs: 100 },
    theirs: { max: 1, maxWaitingClients: 1, acquireTimeoutMillis: 100 },
    async check({ pool }) {
      await pool.acquire();
      const waiting = failureOf(pool.acquire());
      expect(await failureOf(pool.acquire())).toMatchObject({ code: 'ERR_POOL_QUEUE_FULL', pool: 'p' });
      await advance(100);
      expect(await waiting).toMatchObject({ code: 'ERR_POOL_TIMEOUT', pool: 'p', stats: { leased: 1 } });
    },
  });
});

describe('a burst of callers', () => {
  trap('whom one resource serves in no time does not have one opened for each of them', {
    ours: { max: 50 },
    theirs: { max: 50 },
    async check({ pool, factory }) {
      await (await pool.acquire()).release();
      factory.creates.ms = 1_000;
      const served = Array.from({ length: 50 }, () => pool.use(() => sleep(1)));
      await advance(1_100);
      await Promise.all(served);
      expect(factory.creates.calls).toBeLessThan(50);
    },
  });
});

describe('the options', () => {
  trap('are refused when they cannot work, rather than replaced', {
    ours: { min: 5, max: 'ten' } as unknown as PoolOptions,
    theirs: { min: 5, max: 'ten' as unknown as number },
    check(given) {
      expect(() => given.pool).toThrow('max must be an integer');
    },
  });
});

describe('the async context of a caller', () => {
  trap('does not reach create(), which works for everybody', {
    async check({ pool, factory }) {
      const store = new AsyncLocalStorage<string>();
      const { make } = factory;
      const seen: unknown[] = [];
      factory.make = () => (seen.push(store.getStore()), make());
      await store.run('request 1', () => pool.acquire());
      expect(seen).toEqual([undefined]);
    },
  });
});
