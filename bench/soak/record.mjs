// What happened in a soak: the work done, the errors by their code, and what must never happen.

/** What was wrong, each sort once. */
export const problems = new Set();
/** How often each sort of work was done, and each error met. */
export const done = {};
export const errors = {};
/** Callers who have not heard yet. */
export let onTheWay = 0;

export const chance = (share) => Math.random() < share;
export const upTo = (most) => Math.random() * most;
export const oneOf = (choices) => choices[Math.floor(upTo(choices.length))];

export function problem(text) {
  problems.add(text);
}

export function count(what) {
  done[what] = (done[what] ?? 0) + 1;
}

/** An answer that is not the caller's own. */
export class Mixup extends Error {}

/** Does a piece of work that may fail, as long as it fails with an error that a caller can understand. */
export async function attempt(what, work) {
  onTheWay += 1;
  try {
    await work();
    count(what);
  } catch (error) {
    count(`${what} failed`);
    errors[codeOf(error)] = (errors[codeOf(error)] ?? 0) + 1;
    if (isDefect(error)) problem(`${what}: ${error.stack}`);
  } finally {
    onTheWay -= 1;
  }
}

const isDefect = (error) =>
  !(error instanceof Error) ||
  [Mixup, TypeError, RangeError, ReferenceError].some((kind) => error instanceof kind);

/** Replies of Redis have their code in the message, and some errors of ioredis have none at all. */
function codeOf(error) {
  if (typeof error?.code === 'string') return error.code;
  return error?.name === 'Error' || error?.name === 'ReplyError'
    ? error.message.slice(0, 30)
    : String(error?.name);
}

/** Has so many callers do something again and again, and resolves when all have stopped. */
export function crowd(size, isOver, act) {
  return Promise.all(
    Array.from({ length: size }, async (_, caller) => {
      for (let turn = 0; !isOver(); turn += 1) await act(caller, turn);
    }),
  );
}

/** Ends a pool, whatever it does at that moment; then nothing may be left of it. */
export async function end(pool) {
  const { closeFailures } = await pool.drain({ timeoutMs: 1_000 });
  const { size, waiting, state } = pool.stats();
  if (size !== 0 || waiting !== 0 || state !== 'closed')
    problem(`left of ${pool.name}: ${size}, ${waiting} waiting`);
  if (closeFailures > 0) count('close failures');
}

export function checkCounts(pool) {
  const { size, idle, leased, creating, closing, waiting, shared = 0 } = pool.stats();
  const sum = idle + leased + creating + closing + shared;
  if (sum !== size) problem(`the counts of ${pool.name} do not add up: ${sum} of ${size}`);
  if (Math.min(idle, leased, creating, closing, waiting) < 0)
    problem(`a count of ${pool.name} is below zero`);
}
