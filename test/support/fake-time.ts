import { afterEach, beforeEach, jest } from '@jest/globals';

/** Puts the tests of a file on a virtual clock: nothing happens by itself, and waiting an hour takes no time. */
export function useFakeTime(): void {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
}

/** Lets `ms` milliseconds pass, with all that happens in them. With 0, only what is due at this moment. */
export async function advance(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}

/** Takes `ms` milliseconds of the virtual clock. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** How a promise stands, to be looked at without waiting for it. */
export interface Outcome<V> {
  state: 'pending' | 'fulfilled' | 'rejected';
  value?: V;
  reason?: unknown;
}

export function watch<V>(promise: Promise<V>): Outcome<V> {
  const outcome: Outcome<V> = { state: 'pending' };
  promise.then(
    (value) => Object.assign(outcome, { state: 'fulfilled', value }),
    (reason: unknown) => Object.assign(outcome, { state: 'rejected', reason }),
  );
  return outcome;
}

/** What `promise` is rejected with. Handles the rejection at once, so that it may be awaited later. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'it did not fail',
    (reason: unknown) => reason,
  );
}
