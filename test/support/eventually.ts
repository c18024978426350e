import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/**
 * Asks again and again until the answer is yes; a question that fails is a no.
 * @throws {Error} with `what` it waited for, if that takes longer than `withinMs`; the cause is what was wrong last
 */
export async function eventually(
  what: string,
  ask: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      if (await ask()) return;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`waited ${withinMs} ms in vain until ${what}`, { cause });
}
