import { describe, expect, it, jest } from '@jest/globals';
import { within } from './within.js';

const late = () => new Error('late');
const never = new Promise<never>(() => undefined);

describe('within', () => {
  it('gives the answer, and leaves no timer and no listener behind', async () => {
    jest.useFakeTimers();
    const { signal } = new AbortController();
    const remove = jest.spyOn(signal, 'removeEventListener');
    await expect(within(Promise.resolve(1), { ms: 1_000, signal, late })).resolves.toBe(1);
    expect(jest.getTimerCount()).toBe(0);
    expect(remove).toHaveBeenCalledTimes(1);
    jest.useRealTimers();
  });

  it('throws what the answer throws', async () => {
    await expect(within(Promise.reject(new Error('no')), { ms: 1_000, late })).rejects.toThrow('no');
  });

  it('throws when the time is up', async () => {
    jest.useFakeTimers();
    const outcome = within(never, { ms: 1_000, late }).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toEqual(new Error('late'));
    jest.useRealTimers();
  });

  it.each([0, 2 ** 31, Infinity])('waits for ever for %d milliseconds', (ms) => {
    jest.useFakeTimers();
    void within(never, { ms, late });
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('does not take an answer for late that could not be heard, for this process was too busy', async () => {
    const turns = async (count: number) => {
      for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
      return 'answer';
    };
    const outcome = within(turns(3), { ms: 50, late });
    const busyUntil = performance.now() + 60;
    while (performance.now() < busyUntil);
    await expect(outcome).resolves.toBe('answer');
  });

  it('throws the reason of a signal that aborts, or has aborted', async () => {
    const controller = new AbortController();
    const outcome = within(never, { ms: 0, signal: controller.signal, late });
    controller.abort(new Error('enough'));
    await expect(outcome).rejects.toThrow('enough');
    await expect(within(never, { ms: 0, signal: controller.signal, late })).rejects.toThrow('enough');
  });
});
