import { fulfilled, must, rejected, settled, sleep, SOON, staysPending, until, watch } from '../check.mjs';

const mayFail = (promise) => Promise.resolve(promise).catch(() => undefined);

const nextIsServed = (pool) => fulfilled(pool.acquire(), 'the resource did not come back');

const throws = (look) => {
  try {
    look();
    return false;
  } catch {
    return true;
  }
};

export default {
  title: 'Giving back',
  behaviours: [
    {
      name: 'released-is-dead',
      says: 'What was given back cannot be used by who gave it back.',
      needs: ['lease'],
      async check({ open }) {
        const pool = open({ max: 1 });
        const mine = await pool.acquire();
        await mine.release();
        must(
          throws(() => mine.resource),
          'it can be used still',
        );
      },
    },
    {
      name: 'double-release',
      says: 'Releasing twice does nothing, even if nobody looks at the outcome.',
      async check({ open }) {
        const pool = open({ max: 1 });
        const mine = await pool.acquire();
        mine.release();
        mine.release();
        await fulfilled(pool.acquire(), 'the resource did not come back');
        await staysPending(watch(pool.acquire()), 'there was room for one too many');
      },
    },
    {
      name: 'stale-release',
      says: 'Who releases twice does not give away what the next caller holds.',
      async check({ open }) {
        const pool = open({ max: 1 });
        const mine = await pool.acquire();
        await mine.release();
        await pool.acquire();
        await mayFail(mine.release());
        await staysPending(watch(pool.acquire()), 'two callers held the same one');
      },
    },
    {
      name: 'stale-destroy',
      says: 'Who destroys what it gave back before does not close what the next caller holds.',
      needs: ['factory', 'destroy'],
      async check({ source, open }) {
        const pool = open({ max: 1 });
        const mine = await pool.acquire();
        await mine.release();
        await pool.acquire();
        await mayFail(mine.destroy());
        must(!(await until(() => source.live === 0, 100)), 'it was closed under its holder');
      },
    },
    {
      name: 'destroy-waits',
      says: 'When `destroy()` resolves, the resource is closed.',
      needs: ['factory', 'destroy'],
      async check({ source, open }) {
        const pool = open({ max: 1 });
        const held = await pool.acquire();
        source.destroys.ms = 200;
        const destroyed = watch(held.destroy());
        await staysPending(destroyed, 'it resolved at once');
        must((await settled(destroyed)).state === 'fulfilled', 'it did not resolve');
      },
    },
    {
      name: 'reset',
      says: 'What a holder changed is undone before the next one gets the resource.',
      needs: ['reset', 'factory'],
      async check({ source, open }) {
        const pool = open({ max: 1 }, { resets: true });
        source.resets.ms = 30;
        const held = await pool.acquire();
        held.resource.dirty = true;
        const next = pool.acquire();
        held.release();
        const { resource } = await fulfilled(next, 'it did not come back');
        must(!resource.dirty, 'it was lent before');
      },
    },
    {
      name: 'reset-fails',
      says: 'A resource that cannot be reset is closed, and the next caller gets another one.',
      needs: ['reset', 'factory'],
      async check({ source, open }) {
        const pool = open({ max: 1 }, { resets: true });
        source.resets.next(1, { manner: 'rejects' });
        const held = await pool.acquire();
        const { resource } = held;
        await mayFail(held.release());
        const next = await fulfilled(pool.acquire(), 'the place was gone');
        must(next.resource !== resource, 'it was lent again');
        must(source.destroyed.includes(resource), 'it was not closed');
      },
    },
    {
      name: 'use-value',
      says: '`use()` gives back when the task returns a plain value.',
      needs: ['use'],
      async check({ open }) {
        const pool = open({ max: 1 });
        await mayFail(pool.use(() => 'done'));
        await nextIsServed(pool);
      },
    },
    {
      name: 'use-throws',
      says: '`use()` gives back when the task throws before it returned anything.',
      needs: ['use'],
      async check({ open }) {
        const pool = open({ max: 1 });
        const task = () => {
          throw new Error('on purpose');
        };
        await rejected(pool.use(task), 'the caller was not told');
        await nextIsServed(pool);
      },
    },
    {
      name: 'use-keeps',
      says: 'A task that fails does not cost the resource: an error of the application is none of the connection.',
      needs: ['use'],
      async check({ source, open }) {
        const pool = open({ max: 1 });
        await rejected(
          pool.use(() => Promise.reject(new Error('on purpose'))),
          'the caller was not told',
        );
        await nextIsServed(pool);
        must(source.creates.calls === 1, 'it was closed, and another one opened');
      },
    },
    {
      name: 'use-thenable',
      says: '`use()` holds the resource until what the task returned has settled, be it no native promise.',
      needs: ['use'],
      async check({ open }) {
        const pool = open({ max: 1 });
        const used = pool.use(() => ({ then: (...handlers) => sleep(300, 'done').then(...handlers) }));
        const next = watch(pool.acquire());
        await staysPending(next, 'it was lent to somebody else meanwhile');
        must((await fulfilled(used, 'the task did not end')) === 'done', 'the outcome was lost');
        must((await settled(next)).state === 'fulfilled', 'the resource did not come back');
      },
    },
    {
      name: 'use-abort',
      says: 'A signal ends `use()` in the midst of a task that never ends, and the place is free again.',
      needs: ['useSignal'],
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: 5 * SOON });
        const client = new AbortController();
        const used = pool.use(() => new Promise(() => undefined), { signal: client.signal });
        await sleep(20);
        client.abort();
        await rejected(used, 'it went on');
        await nextIsServed(pool);
      },
    },
  ],
};
