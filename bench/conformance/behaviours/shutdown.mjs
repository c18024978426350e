import { inspect } from 'node:util';
import { fulfilled, must, rejected, settled, sleep, SOON, stock, until, watch } from '../check.mjs';

const FAR = 5 * SOON;

const isDone = async (closing, why) => must((await settled(closing, 3 * SOON)).state === 'fulfilled', why);

export default {
  title: 'Shutting down',
  behaviours: [
    {
      name: 'drain-serves',
      says: 'Those who wait when the shutdown begins are served still.',
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: FAR });
        const held = await pool.acquire();
        const waiter = watch(pool.acquire());
        const closing = watch(pool.shutDown(FAR));
        await sleep(50);
        await held.release();
        const { state, value } = await settled(waiter);
        must(state === 'fulfilled', 'who waited was not served');
        await value.release();
        await isDone(closing, 'the shutdown did not end');
      },
    },
    {
      name: 'drain-refuses',
      says: 'Whoever asks later is refused at once, during the shutdown and after it.',
      async check({ open }) {
        const pool = open({ max: 1, acquireTimeoutMs: FAR });
        const held = await pool.acquire();
        const closing = watch(pool.shutDown(FAR));
        await sleep(20);
        await rejected(pool.acquire(), 'who came during the shutdown was not refused');
        await held.release();
        await isDone(closing, 'the shutdown did not end');
        await rejected(pool.acquire(), 'who came after the shutdown was not refused');
      },
    },
    {
      name: 'drain-deadline',
      says: 'The shutdown ends by its deadline, though somebody never gives back.',
      needs: ['drainDeadline'],
      async check({ open }) {
        const pool = open({ max: 1 });
        await pool.acquire();
        await isDone(watch(pool.shutDown(200)), 'the shutdown did not end');
      },
    },
    {
      name: 'drain-revokes',
      says: 'What is still held at the deadline is closed.',
      needs: ['drainDeadline'],
      async check({ source, open }) {
        const pool = open({ max: 1 });
        await pool.acquire();
        await settled(watch(pool.shutDown(200)), 3 * SOON);
        must(await until(() => source.live === 0), 'it stayed open');
      },
    },
    {
      name: 'drain-reports',
      says: 'The shutdown tells who was late, by the place in the code that acquired it.',
      needs: ['drainReport'],
      async check({ open }) {
        const pool = open({ max: 1, leakThresholdMs: 60_000 });
        const aForgetfulHolder = () => pool.acquire();
        await aForgetfulHolder();
        const report = await fulfilled(pool.shutDown(200), 'the shutdown did not end', 3 * SOON);
        must(
          inspect(report, { depth: 5 }).includes('aForgetfulHolder'),
          'the report does not name the holder',
        );
      },
    },
    {
      name: 'drain-hung-create',
      says: 'The shutdown ends while an attempt to create hangs.',
      async check({ source, open }) {
        const pool = open({ max: 2, createTimeoutMs: 300, acquireTimeoutMs: 400 });
        await stock(pool, 1);
        const held = await pool.acquire();
        source.creates.next(1, { manner: 'hangs' });
        watch(pool.acquire());
        await sleep(20);
        const closing = watch(pool.shutDown(300));
        await held.release();
        await isDone(closing, 'the shutdown did not end');
      },
    },
    {
      name: 'drain-hung-destroy',
      says: 'The shutdown ends though closing a resource hangs.',
      needs: ['factory'],
      async check({ source, open }) {
        const pool = open({ max: 1, destroyTimeoutMs: 200 });
        await stock(pool, 1);
        source.destroys.manner = 'hangs';
        await isDone(watch(pool.shutDown(300)), 'the shutdown did not end');
      },
    },
    {
      name: 'drain-validating',
      says: 'A resource that is being validated when the shutdown begins is closed, too.',
      needs: ['factory', 'validate'],
      async check({ source, open }) {
        const pool = open({ max: 1, acquireTimeoutMs: 100 }, { validates: true });
        await stock(pool, 1);
        source.validates.ms = 400;
        watch(pool.acquire());
        await sleep(20);
        await isDone(watch(pool.shutDown(2 * SOON)), 'the shutdown did not end');
        must(await until(() => source.live === 0), 'it stayed open');
      },
    },
    {
      name: 'drain-twice',
      says: 'Shutting down twice is no error, and closes nothing twice.',
      async check({ source, open }) {
        const pool = open({ max: 2 });
        await stock(pool, 2);
        await isDone(watch(pool.shutDown(SOON)), 'the first did not end');
        await isDone(watch(pool.shutDown(SOON)), 'the second failed');
        must(new Set(source.destroyed).size === source.destroyed.length, 'resources were closed twice');
      },
    },
    {
      name: 'process-ends',
      says: 'After the shutdown the process ends by itself: no timer, no socket is left.',
      endsByItself: true,
      async check({ open }) {
        const pool = open({ min: 1, max: 3, destroyTimeoutMs: 30_000, idleTimeoutMs: 30_000 });
        await stock(pool, 3);
        await isDone(watch(pool.shutDown(SOON)), 'the shutdown did not end');
      },
    },
  ],
};
