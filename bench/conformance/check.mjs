import { setTimeout as sleep } from 'node:timers/promises';

export { sleep };

/**
 * What happens "at once" has happened after so many milliseconds, on a machine under load too. What must not happen yet is far
 * further away, so that no verdict depends on speed.
 */
export const SOON = 1_000;

/** How long a promise is watched to see that it stays pending. A slow machine can only hide a fault here, never make one up. */
const A_WHILE = 60;

/** By then whoever listens knows that a resource has failed. */
export const NOTICED_MS = 50;

/** The pool under test does not behave. `why` reads on after "…:" and holds nothing that differs from run to run. */
export class Misbehaviour extends Error {
  constructor(why, cause) {
    super(why, cause === undefined ? undefined : { cause });
  }
}

export function must(holds, why) {
  if (!holds) throw new Misbehaviour(why);
}

/** How a promise stands, to be looked at without waiting for it. Its rejection counts as handled. */
export function watch(promise) {
  const outcome = { state: 'pending' };
  outcome.settled = promise.then(
    (value) => Object.assign(outcome, { state: 'fulfilled', value }),
    (reason) => Object.assign(outcome, { state: 'rejected', reason }),
  );
  return outcome;
}

/** The outcome once it is there, or as it stands after `ms`. */
export async function settled(outcome, ms = SOON) {
  const given = new AbortController();
  await Promise.race([outcome.settled, sleep(ms, undefined, given).catch(() => undefined)]);
  given.abort();
  return outcome;
}

/** What `promise` is fulfilled with, in time. */
export async function fulfilled(promise, why, ms = SOON) {
  const { state, value, reason } = await settled(watch(promise), ms);
  if (state !== 'fulfilled') throw new Misbehaviour(why, reason);
  return value;
}

/** What `promise` is rejected with, in time. */
export async function rejected(promise, why, ms = SOON) {
  const { state, reason } = await settled(watch(promise), ms);
  must(state === 'rejected', why);
  return reason;
}

export async function staysPending(outcome, why) {
  await sleep(A_WHILE);
  must(outcome.state === 'pending', why);
}

/** Whether `holds()` became true in time. */
export async function until(holds, ms = SOON) {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() >= end) return false;
    await sleep(5);
  }
  return true;
}

/** Runs `task` with a resource and gives it back: by the pool's own `use()`, where it has one. */
export async function withResource(pool, task) {
  if (pool.use !== undefined) return pool.use(task);
  const held = await pool.acquire();
  try {
    return await task(held.resource);
  } finally {
    await held.release();
  }
}

/** Takes `count` resources at once and gives them all back: so many lie idle then. */
export async function stock(pool, count) {
  const held = await Promise.all(Array.from({ length: count }, () => pool.acquire()));
  const resources = held.map(({ resource }) => resource);
  for (const each of held) await each.release();
  return resources;
}
