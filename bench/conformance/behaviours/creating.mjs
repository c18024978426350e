import {
  fulfilled,
  must,
  NOTICED_MS,
  rejected,
  settled,
  sleep,
  SOON,
  until,
  watch,
  withResource,
} from '../check.mjs';

const OUTAGE = { manner: 'rejects', ms: 5 };

/** One resource is there; then nothing can be created any more. */
async function outage({ source, open }, options) {
  const pool = open({ max: 2, ...options });
  await pool.acquire();
  Object.assign(source.creates, OUTAGE);
  return pool;
}

/** What was there is gone, too. */
async function totalOutage({ source, open }, options) {
  const pool = open({ max: 2, ...options }, { validates: true, failFast: true });
  const held = await pool.acquire();
  const { resource } = held;
  Object.assign(source.creates, OUTAGE);
  source.lose(resource);
  await sleep(NOTICED_MS);
  await held.release();
  return pool;
}

export default {
  title: 'When nothing can be created',
  behaviours: [
    {
      name: 'cause',
      says: 'A caller is told why nothing could be created: the real error, its words, or as the cause.',
      async check(given) {
        const pool = await outage(given, { acquireTimeoutMs: 500 });
        const error = await rejected(pool.acquire(), 'it was not refused', 2 * SOON);
        must(given.source.explains(error), 'the error says nothing of it');
      },
    },
    {
      name: 'no-hot-loop',
      says: 'What is down is not hammered: a caller who waits half a second makes for fewer than fifty attempts.',
      async check(given) {
        const pool = await outage(given, { acquireTimeoutMs: 500 });
        await settled(watch(pool.acquire()), 2 * SOON);
        must(given.source.creates.calls < 50, 'it was tried without a pause');
      },
    },
    {
      name: 'event-loop',
      says: 'The event loop goes on when the factory fails on the spot.',
      needs: ['factory'],
      limitMs: 5_000,
      async check({ source, open }) {
        const pool = open({ max: 1, acquireTimeoutMs: 500 });
        source.creates.manner = 'rejects';
        const caller = watch(pool.acquire());
        await sleep(20);
        must((await settled(caller, 2 * SOON)).state === 'rejected', 'the caller went on waiting');
      },
    },
    {
      name: 'throws-at-once',
      says: 'A factory that throws instead of rejecting is no different: nothing escapes, nobody is stranded.',
      needs: ['factory'],
      async check({ source, open }) {
        const pool = open({ max: 1, acquireTimeoutMs: 2 * SOON });
        source.creates.next(1, { manner: 'throws' });
        let caller;
        try {
          caller = pool.acquire();
        } catch (error) {
          must(error !== source.creates.error, 'it escaped from acquire()');
        }
        const { value } = await settled(watch(caller), 2 * SOON);
        await value?.release();
        await fulfilled(pool.acquire(), 'the next one was not served', 2 * SOON);
      },
    },
    {
      name: 'heals',
      says: 'Who waits is served when the factory works again, without asking anew.',
      async check(given) {
        const pool = await outage(given, { acquireTimeoutMs: 2 * SOON });
        const waiter = pool.acquire();
        await sleep(200);
        given.source.creates.manner = 'works';
        await fulfilled(waiter, 'who waited was not served', 2 * SOON);
      },
    },
    {
      name: 'breaker',
      says: 'After repeated failures callers are refused at once, without one more attempt for each; and it heals by itself.',
      limitMs: 25_000,
      async check(given) {
        const { creates } = given.source;
        const pool = await totalOutage(given, { acquireTimeoutMs: 5 * SOON });
        const call = () =>
          watch(withResource(pool, async (resource) => must(await given.source.works(resource))));
        must(await refusesAtOnce(call), 'callers wait on');
        const tries = creates.calls;
        for (let each = 0; each < 20; each += 1) {
          must((await settled(call())).state === 'rejected', 'one had to wait');
        }
        must(creates.calls - tries <= 5, 'each of them had one more attempt made');
        creates.manner = 'works';
        must(await servesAgain(call), 'it did not heal');
      },
    },
    {
      name: 'start-fails',
      says: 'A start that cannot open `min` fails, and says why.',
      needs: ['start'],
      async check({ source, open }) {
        Object.assign(source.creates, OUTAGE);
        const pool = open({ min: 1, max: 2, acquireTimeoutMs: 500 });
        const error = await rejected(pool.start(500), 'the start does not fail', 3 * SOON);
        must(source.explains(error), 'the error does not say why');
      },
    },
    {
      name: 'min-after-outage',
      says: '`min` is there by itself after an outage, though nobody asks.',
      async check({ source, open }) {
        source.creates.next(3, OUTAGE);
        const pool = open({ min: 3, max: 5 });
        watch(pool.start(5 * SOON));
        must(await until(() => source.live === 3, 4 * SOON), 'there were fewer than min for good');
      },
    },
    {
      name: 'hung-create',
      says: 'An attempt that hangs is given up, and its place is used for another one.',
      needs: ['createTimeout'],
      async check({ source, open }) {
        const pool = open({ max: 2, createTimeoutMs: 150, acquireTimeoutMs: 3 * SOON });
        await pool.acquire();
        source.creates.next(1, { manner: 'hangs' });
        await fulfilled(pool.acquire(), 'the place was gone', 3 * SOON);
      },
    },
    {
      name: 'late-create-closed',
      says: 'A resource that arrives after it was given up is closed, and not forgotten.',
      needs: ['factory', 'createTimeout'],
      async check({ source, open }) {
        const pool = open({ max: 1, createTimeoutMs: 100, acquireTimeoutMs: 3 * SOON });
        source.creates.next(1, { ms: 400 });
        await settled(watch(pool.acquire()), 3 * SOON);
        must(await until(() => source.destroyed.length === 1), 'nobody closed it');
      },
    },
  ],
};

/** Whether callers come to be refused much sooner than at their deadline, three times running. */
async function refusesAtOnce(call) {
  let inARow = 0;
  for (const end = performance.now() + 8 * SOON; inARow < 3 && performance.now() < end; await sleep(50)) {
    const { state } = await settled(call(), 150);
    inARow = state === 'rejected' ? inARow + 1 : 0;
  }
  return inARow === 3;
}

async function servesAgain(call) {
  for (const end = performance.now() + 8 * SOON; performance.now() < end; await sleep(50)) {
    const { state } = await settled(call());
    if (state === 'fulfilled') return true;
  }
  return false;
}
