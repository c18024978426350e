import { describe, expect, jest } from '@jest/globals';
import { trap } from '../../test/support/fake-pools.js';
import { advance, failureOf, useFakeTime, watch } from '../../test/support/fake-time.js';

/** The traps of bare generic-pool (see generic-pool-traps.spec.ts) when a resource, or the pool, comes to its end. */
useFakeTime();

describe('an idle resource', () => {
  trap('that breaks is closed at once', {
    validates: true,
    ours: { max: 1 },
    theirs: { max: 1, testOnBorrow: true, evictionRunIntervalMillis: 100, softIdleTimeoutMillis: 60_000 },
    async check({ pool, factory }) {
      const held = await pool.acquire();
      const { resource } = held;
      await held.release();
      factory.validates.answer = () => false;
      factory.lose(resource);
      await advance(1_000);
      expect(factory.destroyed).toEqual([resource]);
    },
  });

  trap('goes after its time-out down to min, and is not rebuilt for ever', {
    ours: { min: 2, max: 4, idleTimeoutMs: 1_000 },
    theirs: {
      min: 2,
      max: 4,
      idleTimeoutMillis: 1_000,
      evictionRunIntervalMillis: 100,
      numTestsPerEvictionRun: 4,
    },
    async check({ pool, factory }) {
      const held = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire(), pool.acquire()]);
      for (const each of held) await each.release();
      await advance(10_000);
      expect(factory.live).toBe(2);
      expect(factory.creates.calls).toBe(4);
    },
  });

  trap('goes after its time-out, whatever destroy() threw for the one before it', {
    ours: { max: 2, idleTimeoutMs: 1_000 },
    theirs: { max: 2, idleTimeoutMillis: 1_000, evictionRunIntervalMillis: 100 },
    async check({ pool, factory }) {
      const held = await Promise.all([pool.acquire(), pool.acquire()]);
      for (const each of held) await each.release();
      factory.destroys.next(1, 'throws');
      await advance(3_000).catch(() => undefined);
      expect(factory.live).toBe(0);
    },
  });
});

describe('a shutdown', () => {
  trap('ends only when nothing is leased any more', {
    ours: { max: 1, acquireTimeoutMs: 100 },
    theirs: { max: 1, acquireTimeoutMillis: 100, priorityRange: 3 },
    async check({ pool }) {
      const holder = await pool.acquire();
      const low = failureOf(pool.acquire({ priority: 'low' }));
      await advance(50);
      const high = pool.acquire({ priority: 'high' });
      const done = watch(pool.shutDown(10_000));
      await advance(60);
      await low;
      await holder.release();
      await advance(10);
      expect(done.state).toBe('pending');
      await (await high).release();
      await advance(0);
      expect(done.state).toBe('fulfilled');
    },
  });

  trap('ends at its deadline although somebody never gives back, and closes what he holds', {
    async check({ pool, factory }) {
      const { resource } = await pool.acquire();
      const done = watch(pool.shutDown(1_000));
      await advance(1_000);
      expect(done.state).toBe('fulfilled');
      expect(factory.destroyed).toEqual([resource]);
    },
  });

  trap('closes a resource that is being validated, too', {
    validates: true,
    ours: { max: 1, acquireTimeoutMs: 100, validateAfterIdleMs: 0 },
    theirs: { max: 1, acquireTimeoutMillis: 100, testOnBorrow: true },
    async check({ pool, factory }) {
      await (await pool.acquire()).release();
      factory.validates.ms = 500;
      const late = failureOf(pool.acquire());
      const done = watch(pool.shutDown(1_000));
      await advance(1_000);
      await late;
      expect(done.state).toBe('fulfilled');
      expect(factory.live).toBe(0);
    },
  });

  trap('leaves no timer behind, though closing has a deadline', {
    ours: { destroyTimeoutMs: 5_000 },
    theirs: { destroyTimeoutMillis: 5_000 },
    async check({ pool }) {
      await (await pool.acquire()).release();
      await pool.shutDown(1_000);
      expect(jest.getTimerCount()).toBe(0);
    },
  });
});
