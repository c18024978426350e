import {
  fulfilled,
  must,
  NOTICED_MS,
  settled,
  sleep,
  SOON,
  stock,
  until,
  watch,
  withResource,
} from '../check.mjs';

const CHECKED = { max: 1, createTimeoutMs: 150 };

/** A pool with one idle resource that is checked before it is lent. */
async function withOneToCheck({ open }, options) {
  const pool = open({ ...CHECKED, ...options }, { validates: true });
  const [resource] = await stock(pool, 1);
  return { pool, resource };
}

export default {
  title: 'Keeping what is good, and letting go of the rest',
  behaviours: [
    {
      name: 'broken-idle',
      says: 'A resource that failed while it lay idle is not lent; the caller gets one that works.',
      async check({ source, open }) {
        const { pool, resource } = await withOneToCheck({ open });
        source.lose(resource);
        await sleep(NOTICED_MS);
        const next = await fulfilled(pool.acquire(), 'nothing came');
        must(await source.works(next.resource), 'the broken one was lent');
      },
    },
    {
      name: 'broken-idle-replaced',
      says: 'It is closed, and `min` made up for, as soon as it fails and not when somebody asks.',
      needs: ['brokenIdle'],
      async check({ source, open }) {
        const { resource } = await withOneToCheck({ open }, { min: 1, max: 2 });
        source.lose(resource);
        must(await until(() => source.live === source.healthy), 'it lay there on');
        must(await until(() => source.live === 1, 2 * SOON), 'min was not made up for');
      },
    },
    {
      name: 'broken-in-use',
      says: 'A resource that failed in the hands of its holder is not lent to the next one.',
      async check({ source, open }) {
        const pool = open(CHECKED, { validates: true });
        const held = await pool.acquire();
        const { resource } = held;
        source.lose(resource);
        await sleep(NOTICED_MS);
        await held.release();
        const next = await fulfilled(pool.acquire(), 'nothing came');
        must(await source.works(next.resource), 'it was lent');
      },
    },
    {
      name: 'undefined-is-invalid',
      says: 'A validator that says nothing has not said yes.',
      needs: ['factory', 'validate'],
      async check({ source, open }) {
        const { pool, resource } = await withOneToCheck({ open });
        source.validates.answer = (asked) => (asked === resource ? undefined : true);
        const next = await fulfilled(pool.acquire(), 'nothing came');
        must(next.resource !== resource, 'it was taken for a yes');
      },
    },
    {
      name: 'validator-fails',
      says: 'A validator that rejects or throws costs its resource, and no place.',
      needs: ['factory', 'validate'],
      async check({ source, open }) {
        const { pool } = await withOneToCheck({ open });
        for (const manner of ['rejects', 'throws']) {
          source.validates.next(1, { manner });
          const next = await fulfilled(pool.acquire(), `the place was gone when it ${manner}`);
          await next.release();
        }
      },
    },
    {
      name: 'validator-hangs',
      says: 'A validator that never answers costs its resource, and the place is free again in bounded time.',
      needs: ['factory', 'validate'],
      async check({ source, open }) {
        const { pool } = await withOneToCheck({ open }, { acquireTimeoutMs: 300 });
        source.validates.next(1, { manner: 'hangs' });
        const outcomes = [];
        for (let each = 0; each < 4; each += 1) outcomes.push((await settled(watch(pool.acquire()))).state);
        must(outcomes.includes('fulfilled'), 'the place was gone for good');
      },
    },
    {
      name: 'min-ahead',
      says: '`min` resources are opened ahead, before anybody asks.',
      async check({ source, open }) {
        const pool = open({ min: 2, max: 4 });
        watch(Promise.resolve(pool.start?.(5 * SOON)));
        must(await until(() => source.live === 2, 2 * SOON), 'nothing is opened ahead');
      },
    },
    {
      name: 'idle-down-to-min',
      says: 'Idle resources go after their time, down to `min`, which stay as they are.',
      async check({ source, open }) {
        const pool = open({ min: 1, max: 4, idleTimeoutMs: 150 });
        await stock(pool, 4);
        const created = source.creates.calls;
        must(await until(() => source.live <= 1, 3 * SOON), 'they stayed');
        await sleep(500);
        must(source.live === 1, 'fewer than min were left');
        must(source.creates.calls === created, 'those of min were closed and opened anew');
      },
    },
    {
      name: 'shrinks-under-light-load',
      says: 'After a peak the surplus goes, though one caller after the other keeps coming.',
      async check({ source, open }) {
        const pool = open({ min: 1, max: 4, idleTimeoutMs: 250 });
        await stock(pool, 4);
        const end = performance.now() + 4 * SOON;
        while (source.live > 1) {
          must(performance.now() < end, 'one caller keeps all four of them busy');
          await withResource(pool, () => sleep(1));
          await sleep(20);
        }
      },
    },
    {
      name: 'max-lifetime',
      says: 'A resource is replaced at its age, while it is idle and never in use.',
      needs: ['lifetime', 'factory'],
      async check({ source, open }) {
        const pool = open({ min: 1, max: 1, maxLifetimeMs: 200 });
        const held = await pool.acquire();
        const { resource } = held;
        await sleep(500);
        must(!source.destroyed.includes(resource), 'it was closed in the hands of its holder');
        await held.release();
        must(await until(() => source.destroyed.includes(resource)), 'it stayed');
        must(await until(() => source.destroyed.length >= 2, 3 * SOON), 'an idle one stayed');
      },
    },
    {
      name: 'max-uses',
      says: 'A resource is replaced after so many uses.',
      needs: ['uses', 'factory'],
      async check({ source, open }) {
        const pool = open({ max: 1, maxUses: 2 });
        const [first] = await stock(pool, 1);
        const [second] = await stock(pool, 1);
        must(first === second, 'it was replaced too soon');
        const [third] = await stock(pool, 1);
        must(third !== first && source.destroyed.includes(first), 'it was lent once more');
      },
    },
    {
      name: 'destroy-fails',
      says: 'When closing one idle resource fails, the others still go when their time has come.',
      needs: ['factory'],
      async check({ source, open }) {
        const pool = open({ max: 3, idleTimeoutMs: 150 });
        await stock(pool, 3);
        source.destroys.next(1, { manner: 'throws' });
        source.destroys.next(1, { manner: 'rejects' });
        must(await until(() => source.destroyed.length === 3, 3 * SOON), 'they stayed');
      },
    },
  ],
};
