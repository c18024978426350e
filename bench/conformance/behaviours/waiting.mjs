import {
  fulfilled,
  must,
  rejected,
  settled,
  sleep,
  SOON,
  staysPending,
  stock,
  until,
  watch,
} from '../check.mjs';

const FAR = 5 * SOON;

export default {
  title: 'Waiting',
  behaviours: [
    {
      name: 'order',
      says: 'First come, first served.',
      async check({ open }) {
        const pool = open({ max: 1 });
        const first = await pool.acquire();
        const order = [];
        const callers = [1, 2, 3, 4, 5].map(async (number) => {
          const held = await pool.acquire();
          order.push(number);
          await held.release();
        });
        await first.release();
        await fulfilled(Promise.all(callers), 'not everybody was served');
        must(order.join() === '1,2,3,4,5', 'somebody was overtaken');
      },
    },
    {
      name: 'deadline',
      says: 'A caller who gets nothing is told so at the deadline of the pool.',
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: 100 });
        await pool.acquire();
        await rejected(pool.acquire(), 'it was not refused');
      },
    },
    {
      name: 'own-deadline',
      says: 'A caller may have a deadline of its own.',
      needs: ['ownDeadline'],
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: FAR });
        const holder = await pool.acquire();
        const patient = watch(pool.acquire());
        await rejected(pool.acquire({ timeoutMs: 50 }), 'it was not refused');
        must(patient.state === 'pending', 'somebody else was refused');
        await holder.release();
        must((await settled(patient)).state === 'fulfilled', 'the next in the line was not served');
      },
    },
    {
      name: 'late-resource-kept',
      says: 'A resource that arrives after its caller has given up serves the next one.',
      async check({ source, open }) {
        const pool = open({ max: 2, acquireTimeoutMs: 150 });
        await pool.acquire();
        source.creates.next(1, { ms: 400 });
        await rejected(pool.acquire(), 'it was not refused');
        const tries = source.creates.calls;
        await sleep(600);
        await fulfilled(pool.acquire(), 'the place was gone');
        must(source.creates.calls === tries, 'it was thrown away, and another one opened');
      },
    },
    {
      name: 'abort-waiting',
      says: 'A caller who waits can leave at any time, and nothing is given to who has left.',
      needs: ['signal'],
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: FAR });
        const holder = await pool.acquire();
        const client = new AbortController();
        const leaving = pool.acquire({ signal: client.signal });
        const staying = pool.acquire();
        client.abort();
        await rejected(leaving, 'it was not refused');
        await holder.release();
        await fulfilled(staying, 'the next in the line was not served');
      },
    },
    {
      name: 'abort-creating',
      says: 'A caller can leave while a resource is being opened for it, and the resource serves the next one.',
      needs: ['signal'],
      async check({ source, open }) {
        const pool = open({ max: 1, acquireTimeoutMs: FAR });
        source.creates.ms = 300;
        const client = new AbortController();
        const leaving = pool.acquire({ signal: client.signal });
        await sleep(20);
        client.abort();
        await rejected(leaving, 'it was not refused', 200);
        await fulfilled(pool.acquire(), 'the next one was not served');
        must(source.creates.calls === 1, 'it was thrown away, and another one opened');
      },
    },
    {
      name: 'abort-before',
      says: 'A caller who has left before it asked is refused at once, and nothing is opened for it.',
      needs: ['signal'],
      async check({ source, open }) {
        const pool = open({ max: 1 });
        await rejected(pool.acquire({ signal: AbortSignal.abort() }), 'it was not refused');
        must(source.creates.calls === 0, 'a resource was opened for nobody');
      },
    },
    {
      name: 'queue-limit',
      says: 'When as many wait as may wait, the next one is refused at once.',
      needs: ['queueLimit'],
      async check({ open }) {
        const pool = open({ max: 1, maxWaiting: 1, acquireTimeoutMs: FAR });
        await pool.acquire();
        const waiter = watch(pool.acquire());
        await rejected(pool.acquire(), 'it was not refused');
        must(waiter.state === 'pending', 'who waited was refused');
      },
    },
    {
      name: 'queue-limit-typed',
      says: 'Who is refused for it can be told by a class or a code, not only by the words of the error.',
      needs: ['queueLimit'],
      async check({ open }) {
        const pool = open({ max: 1, maxWaiting: 1, acquireTimeoutMs: FAR });
        await pool.acquire();
        watch(pool.acquire());
        const error = await rejected(pool.acquire(), 'it was not refused');
        const isPlain = error.constructor === Error && error.name === 'Error' && error.code === undefined;
        must(!isPlain, 'it is a plain Error');
      },
    },
    {
      name: 'priority',
      says: 'An urgent caller is served before those who came a moment earlier.',
      needs: ['priority'],
      async check({ open }) {
        const pool = open({ max: 1 }, { priorities: true });
        const holder = await pool.acquire();
        const normal = watch(pool.acquire());
        const urgent = watch(pool.acquire({ priority: 'high' }));
        await holder.release();
        must((await settled(urgent)).state === 'fulfilled', 'it was not served first');
        await staysPending(normal, 'both were served');
      },
    },
    {
      name: 'no-starvation',
      says: 'A stream of urgent callers does not keep the others waiting for ever.',
      needs: ['priority'],
      limitMs: 15_000,
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: 30_000 }, { priorities: true });
        let holder = await pool.acquire();
        const low = watch(pool.acquire({ priority: 'low' }));
        const end = performance.now() + 8_000;
        while (low.state === 'pending') {
          must(performance.now() < end, 'one of low priority was never served');
          const urgent = watch(pool.acquire({ priority: 'high' }));
          await sleep(20);
          await holder.release();
          await Promise.race([urgent.settled, low.settled]);
          holder = urgent.value;
        }
      },
    },
    {
      name: 'suspend',
      says: 'A suspended pool lends nothing, and those who wait are served when it is resumed.',
      needs: ['suspend'],
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: FAR });
        await stock(pool, 1);
        pool.suspend();
        const waiter = watch(pool.acquire());
        await staysPending(waiter, 'it lent');
        pool.resume();
        must(await until(() => waiter.state === 'fulfilled'), 'nobody was served afterwards');
      },
    },
  ],
};
