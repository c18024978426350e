import { inspect } from 'node:util';
import {
  fulfilled,
  must,
  settled,
  sleep,
  SOON,
  staysPending,
  stock,
  until,
  watch,
  withResource,
} from '../check.mjs';

const isLentTwice = (holders) => new Set(holders.map(({ resource }) => resource)).size < holders.length;

export default {
  title: 'How many there are, and who holds them',
  behaviours: [
    {
      name: 'max',
      says: 'However many ask at once, no more than `max` resources exist.',
      async check({ source, open }) {
        const pool = open({ max: 4 });
        source.creates.ms = 5;
        const callers = Array.from({ length: 60 }, () => withResource(pool, () => sleep(2)));
        await fulfilled(Promise.all(callers), 'not everybody was served', 5 * SOON);
        must(source.peak <= 4, 'more existed at once');
      },
    },
    {
      name: 'max-while-closing',
      says: 'A resource that is still being closed counts against `max`: the server never sees more.',
      needs: ['factory', 'destroy'],
      async check({ source, open }) {
        const pool = open({ max: 2 });
        source.destroys.ms = 50;
        for (let round = 0; round < 4; round += 1) {
          const both = Promise.all([pool.acquire(), pool.acquire()]);
          for (const held of await fulfilled(both, 'nothing came')) watch(Promise.resolve(held.destroy()));
        }
        must(source.peak <= 2, 'new ones were opened while the old ones were still being closed');
      },
    },
    {
      name: 'one-holder',
      says: 'A resource is in the hands of one caller at a time.',
      async check({ open }) {
        const pool = open({ max: 3 });
        const held = new Set();
        const callers = Array.from({ length: 120 }, (_, at) =>
          withResource(pool, async (resource) => {
            must(!held.has(resource), 'two callers held the same one');
            held.add(resource);
            await sleep(at % 4);
            held.delete(resource);
          }),
        );
        await Promise.all(callers);
      },
    },
    {
      name: 'nothing-is-lost',
      says: 'After a storm of time-outs and failed attempts to create, all `max` places are there as before.',
      async check({ source, open }) {
        const pool = open({ max: 3, acquireTimeoutMs: 300 });
        await stock(pool, 1);
        Object.assign(source.creates, { manner: 'rejects', ms: 5 });
        const storm = Array.from({ length: 60 }, () => watch(withResource(pool, () => sleep(30))));
        await sleep(150);
        source.creates.manner = 'works';
        await Promise.all(storm.map(({ settled }) => settled));
        must(await allCanBeHeld(pool, 3), 'a place was gone for good');
      },
    },
    {
      name: 'same-object-refused',
      says: 'When the factory gives the same object twice, it is not lent to two callers.',
      needs: ['factory'],
      async check({ source, open }) {
        const pool = open({ max: 2, acquireTimeoutMs: 200 });
        const same = source.make();
        source.make = () => same;
        const callers = [watch(pool.acquire()), watch(pool.acquire())];
        await Promise.all(callers.map((caller) => settled(caller)));
        const holders = callers.flatMap(({ value }) => value ?? []);
        must(holders.length > 0, 'nobody got it');
        must(!isLentTwice(holders), 'two callers held it');
      },
    },
    {
      name: 'nothing-refused',
      says: '`undefined` from the factory is a failure, and is not lent.',
      needs: ['factory'],
      async check({ source, open }) {
        const pool = open({ max: 1, createTimeoutMs: 100, acquireTimeoutMs: 2 * SOON });
        const { make } = source;
        source.make = () => void (source.make = make);
        const { state, value } = await settled(watch(pool.acquire()), 2 * SOON);
        must(state !== 'fulfilled' || value.resource !== undefined, `${inspect(undefined)} was lent`);
        await value?.release();
        await fulfilled(pool.acquire(), 'the place was gone for good', 2 * SOON);
      },
    },
    {
      name: 'spike',
      says: 'A burst of fifty callers whom one resource serves in no time does not have fifty opened.',
      async check({ source, open }) {
        const pool = open({ max: 50 });
        await stock(pool, 1);
        source.creates.ms = 400;
        const callers = Array.from({ length: 50 }, () => withResource(pool, () => sleep(1)));
        await fulfilled(Promise.all(callers), 'not everybody was served', 5 * SOON);
        await sleep(100);
        must(source.creates.calls <= 25, 'one was opened for nearly each of them');
      },
    },
    {
      name: 'resize-up',
      says: 'A higher `max` serves those who wait at once.',
      needs: ['resize'],
      async check({ open }) {
        const pool = open({ max: 1 });
        await pool.acquire();
        const waiter = watch(pool.acquire());
        await staysPending(waiter, 'it did not wait');
        pool.resize({ max: 2 });
        must((await settled(waiter)).state === 'fulfilled', 'who waited went on waiting');
      },
    },
    {
      name: 'resize-down',
      says: 'A lower `max` takes nothing from a holder, and closes the surplus when it comes back.',
      needs: ['resize'],
      async check({ source, open }) {
        const pool = open({ max: 3 });
        const held = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
        pool.resize({ max: 1 });
        await sleep(50);
        must(source.live === 3, 'one was taken from its holder');
        for (const each of held) await each.release();
        must(await until(() => source.live === 1), 'the surplus stayed open');
        await pool.acquire();
        await staysPending(watch(pool.acquire()), 'more than the new max were lent');
      },
    },
  ],
};

/** Whether `count` can be held at the same time, if not at once (a pool may rest after a failure) then soon. */
async function allCanBeHeld(pool, count) {
  for (const end = performance.now() + 4 * SOON; performance.now() < end;) {
    const callers = Array.from({ length: count }, () => watch(pool.acquire()));
    await Promise.all(callers.map((caller) => caller.settled));
    if (callers.every(({ state }) => state === 'fulfilled')) return true;
    for (const { value } of callers) await value?.release();
    await sleep(50);
  }
  return false;
}
