/* global gc */
import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import { fulfilled, must, rejected, settled, sleep, SOON, until, watch, withResource } from '../check.mjs';

const FAR = 5 * SOON;

export default {
  title: 'Saying what is wrong, and staying out of the way',
  behaviours: [
    {
      name: 'deadlock',
      says: 'Who asks again inside its own task, while nobody else could give back, is told so at once.',
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: FAR });
        const inside = withResource(pool, async () => (await settled(watch(pool.acquire()))).state);
        must((await inside) === 'rejected', 'it waits for itself');
      },
    },
    {
      name: 'timeout-says-leased',
      says: 'A time-out says that all were in use.',
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: 100 });
        await pool.acquire();
        const { message } = await rejected(pool.acquire(), 'it was not refused');
        must(/leased|borrowed|acquired|in use|held|busy/i.test(message), 'the error does not say so');
      },
    },
    {
      name: 'timeout-names-holder',
      says: 'A time-out names who holds them, by the place in the code that acquired it.',
      needs: ['leaks'],
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: 100, leakThresholdMs: 60_000 });
        const aForgetfulHolder = () => pool.acquire();
        await aForgetfulHolder();
        const error = await rejected(pool.acquire(), 'it was not refused');
        must(inspect(error, { depth: 5 }).includes('aForgetfulHolder'), 'the error does not name the holder');
      },
    },
    {
      name: 'timeout-says-blocked',
      says: 'A time-out for which the process itself is to blame says so: its event loop was blocked.',
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: 50 });
        await pool.acquire();
        const caller = pool.acquire();
        for (const end = performance.now() + 600; performance.now() < end;);
        const { message } = await rejected(caller, 'it was not refused');
        must(/event loop|blocked/i.test(message), 'the error does not say so');
      },
    },
    {
      name: 'leak-reported',
      says: 'A resource held for too long is reported, with the place in the code that acquired it.',
      needs: ['leaks'],
      async check({ open }) {
        const pool = open({ max: 1, leakThresholdMs: 100 });
        const places = [];
        pool.onLeak((place) => places.push(place));
        const aForgetfulHolder = () => pool.acquire();
        await aForgetfulHolder();
        must(
          await until(() => places.some((place) => place.includes('aForgetfulHolder'))),
          'it was not reported',
        );
      },
    },
    {
      name: 'leak-reclaimed',
      says: 'A resource whose holder forgot it, and can no longer give it back, returns to the pool.',
      needs: ['reclaim'],
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: FAR, leakThresholdMs: 60_000 });
        const forget = async () => void (await pool.acquire());
        await forget();
        const next = watch(pool.acquire());
        const came = await until(() => (gc(), next.state === 'fulfilled'), 3 * SOON);
        must(came, 'it is gone for good');
      },
    },
    {
      name: 'stats',
      says: 'How many are idle, how many are lent and how many callers wait can be read at any time.',
      async check({ open }) {
        const pool = open({ max: 2, acquireTimeoutMs: FAR });
        const [one] = await Promise.all([pool.acquire(), pool.acquire()]);
        await one.release();
        await sleep(20);
        const reads = ({ idle, leased, waiting }) => `${idle} idle, ${leased} leased, ${waiting} waiting`;
        must(reads(pool.stats()) === '1 idle, 1 leased, 0 waiting', 'the figures are wrong');
        for (let each = 0; each < 3; each += 1) watch(pool.acquire());
        await sleep(20);
        must(reads(pool.stats()) === '0 idle, 2 leased, 2 waiting', 'the figures are wrong');
      },
    },
    {
      name: 'options-checked',
      says: 'Options that cannot work, and names that are none, are refused and not quietly replaced.',
      check({ open }) {
        must(
          refuses(() => open({ min: 5, max: 2 })),
          'a min above max was accepted',
        );
        must(
          refuses(() => open({ max: 2 }, { others: { noSuchOption: 1 } })),
          'an unknown option was accepted',
        );
      },
    },
    {
      name: 'create-context',
      says: 'The factory does not run in the async context of the caller who happened to come first.',
      needs: ['factory'],
      async check({ source, open }) {
        const store = new AsyncLocalStorage();
        const { create } = source;
        const seen = [];
        source.create = (...given) => {
          seen.push(store.getStore());
          return create(...given);
        };
        const pool = open({ max: 1 });
        await store.run('a request', () => pool.acquire());
        must(!seen.includes('a request'), 'it runs in the context of the first caller, and keeps it alive');
      },
    },
    {
      name: 'waiter-context',
      says: 'Who waited goes on in its own async context, and not in that of who gave back.',
      async check({ open }) {
        const store = new AsyncLocalStorage();
        const pool = open({ max: 1 });
        const holder = await store.run('another request', () => pool.acquire());
        const mine = store.run('my request', () => withResource(pool, async () => store.getStore()));
        await store.run('another request', () => holder.release());
        must((await fulfilled(mine, 'it was not served')) === 'my request', 'it goes on in another one');
      },
    },
    {
      name: 'listener-throws',
      says: 'A listener that throws hurts no caller.',
      async check({ source, open }) {
        const pool = open({ max: 2, acquireTimeoutMs: 3 * SOON });
        await pool.acquire();
        pool.onCreateFailure(() => {
          throw new Error('on purpose');
        });
        source.creates.next(1, { manner: 'rejects', ms: 5 });
        await fulfilled(pool.acquire(), 'who waited was not served', 3 * SOON);
      },
    },
  ],
};

function refuses(open) {
  try {
    open();
    return false;
  } catch {
    return true;
  }
}
