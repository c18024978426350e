import { setImmediate as turn } from 'node:timers/promises';
import { jest } from '@jest/globals';

/** Lets everything happen that is due without a timer. */
export async function settle(): Promise<void> {
  await turn();
}

/**
 * Lets `ms` milliseconds of the fake clock pass, one timer after the other, with all that follows from each in between: as Node does
 * it, and without the real millisecond that each step of `advanceTimersByTimeAsync` costs.
 */
export async function elapse(ms: number): Promise<void> {
  let over = false;
  setTimeout(() => (over = true), ms);
  await settle();
  while (!over) {
    jest.advanceTimersToNextTimer();
    await settle();
  }
}
