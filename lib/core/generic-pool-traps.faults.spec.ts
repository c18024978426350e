import { afterEach, describe, expect } from '@jest/globals';
import { config } from 'rxjs';
import { trap } from '../../test/support/fake-pools.js';
import { advance, failureOf, useFakeTime, watch } from '../../test/support/fake-time.js';

/** The traps of bare generic-pool (see generic-pool-traps.spec.ts) when the factory fails, hangs, or takes its time. */
useFakeTime();

afterEach(() => {
  config.onUnhandledError = null;
});

const REFUSED = new Error('ECONNREFUSED');
const HALF_A_SECOND = {
  ours: { max: 1, acquireTimeoutMs: 500 },
  theirs: { max: 1, acquireTimeoutMillis: 500 },
};

describe('while create() fails', () => {
  trap('does not hammer what is down', {
    ...HALF_A_SECOND,
    async check({ pool, factory }) {
      Object.assign(factory.creates, { manner: 'rejects', ms: 1 });
      const caller = failureOf(pool.acquire());
      await advance(500);
      expect(factory.creates.calls).toBeLessThan(20);
      await caller;
    },
  });

  trap('leaves the event loop to others, even when create() fails at once', {
    ...HALF_A_SECOND,
    async check({ pool, factory }) {
      factory.creates.manner = 'rejects';
      const caller = failureOf(pool.acquire());
      await advance(0);
      expect(factory.creates.calls).toBe(1);
      await advance(500);
      await caller;
    },
  });

  trap('tells the caller the real cause', {
    ...HALF_A_SECOND,
    async check({ pool, factory }) {
      Object.assign(factory.creates, { manner: 'rejects', ms: 1, error: REFUSED });
      const caller = failureOf(pool.acquire());
      await advance(500);
      expect(await caller).toMatchObject({ cause: REFUSED });
    },
  });

  trap('does not let a synchronous throw of create() escape from acquire()', {
    ...HALF_A_SECOND,
    async check({ pool, factory }) {
      factory.creates.next(1, 'throws');
      let caller: Promise<unknown> | undefined;
      expect(() => (caller = pool.acquire())).not.toThrow();
      await advance(500);
      await caller;
    },
  });

  trap('keeps no place in the queue for a caller whom a synchronous throw drove away', {
    ours: { max: 1 },
    theirs: { max: 1 },
    async check({ pool, factory }) {
      factory.creates.next(1, 'throws');
      Promise.resolve()
        .then(() => pool.use(() => Promise.resolve()))
        .catch(() => undefined);
      await advance(0);
      const next = watch(pool.acquire());
      await advance(1_000);
      expect(next.state).toBe('fulfilled');
    },
  });

  trap('leaves nobody stranded when a listener throws', {
    ours: { max: 1 },
    theirs: { max: 1 },
    async check({ pool, factory }) {
      factory.creates.next(1, 'rejects');
      pool.onCreateError(() => {
        throw new Error('boom');
      });
      const caller = watch(pool.acquire());
      await advance(1_000);
      expect(caller.state).toBe('fulfilled');
    },
  });

  trap('refills min by itself after an outage', {
    ours: { min: 3, max: 5 },
    theirs: { min: 3, max: 5 },
    async check(given) {
      const { factory } = given;
      factory.creates.next(3, 'rejects');
      given.pool.start(100).catch(() => undefined);
      await advance(5_000);
      expect(factory.live).toBe(3);
    },
  });

  trap('lets a start fail with the real cause', {
    ours: { min: 1 },
    theirs: { min: 1 },
    async check({ pool, factory }) {
      Object.assign(factory.creates, { manner: 'rejects', ms: 100, error: REFUSED });
      const started = watch(pool.start(500));
      await advance(1_000);
      expect(started).toMatchObject({ state: 'rejected', reason: { cause: REFUSED } });
    },
  });
});

describe('when create() hangs', () => {
  trap('gives the place to another try', {
    ours: { max: 1, createTimeoutMs: 100 },
    theirs: { max: 1 },
    async check({ pool, factory }) {
      factory.creates.next(1, 'hangs');
      const caller = watch(pool.acquire());
      await advance(1_000);
      expect(caller.state).toBe('fulfilled');
    },
  });
});

describe('a start', () => {
  trap('is done when min resources are there, leased ones included', {
    ours: { min: 1, max: 1 },
    theirs: { min: 1, max: 1 },
    async check({ pool }) {
      await pool.acquire();
      const started = watch(pool.start(500));
      await advance(200);
      expect(started.state).toBe('fulfilled');
    },
  });
});

describe('a validator', () => {
  const ASKED = {
    validates: true,
    ours: { max: 1, validateAfterIdleMs: 0, createTimeoutMs: 300 },
    theirs: { max: 1, testOnBorrow: true },
  };

  trap('that rejects costs no place', {
    ...ASKED,
    async check({ pool, factory }) {
      await (await pool.acquire()).release();
      factory.validates.next(1, 'rejects');
      const caller = watch(pool.acquire());
      await advance(1_000);
      expect(caller.state).toBe('fulfilled');
    },
  });

  trap('that hangs costs no place', {
    ...ASKED,
    async check({ pool, factory }) {
      await (await pool.acquire()).release();
      factory.validates.next(1, 'hangs');
      const caller = watch(pool.acquire());
      await advance(1_000);
      expect(caller.state).toBe('fulfilled');
    },
  });

  trap('that says nothing has not said yes', {
    ...ASKED,
    async check({ pool, factory }) {
      const held = await pool.acquire();
      const { resource } = held;
      await held.release();
      factory.validates.answer = () => undefined;
      await pool.acquire();
      expect(factory.destroyed).toEqual([resource]);
    },
  });
});
