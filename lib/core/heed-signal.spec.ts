import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { heedSignal } from './heed-signal.js';

describe('heedSignal', () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  beforeEach(() => void process.on('warning', note));
  afterEach(() => void process.off('warning', note));

  it('calls the listener once, with any number of others, and nobody is warned of a leak', async () => {
    const controller = new AbortController();
    const listeners = Array.from({ length: 50 }, () => jest.fn());
    for (const listener of listeners) heedSignal(controller.signal, listener);
    controller.abort();
    for (const listener of listeners) expect(listener).toHaveBeenCalledTimes(1);
    await new Promise(setImmediate); // warnings come in a turn of their own
    expect(warnings).toEqual([]);
  });

  it('takes a signal of another make', () => {
    const listener = jest.fn();
    const addEventListener = jest.fn();
    heedSignal({ aborted: false, addEventListener } as unknown as AbortSignal, listener);
    expect(addEventListener).toHaveBeenCalledWith('abort', listener, { once: true });
  });
});
