import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LOAD_LIMITS } from './load.dto.js';
import type { LoadRound } from './load-round.js';
import { LoadService } from './load.service.js';
import { textOf } from './load-text.js';

const ORDER = { perSecond: 100, bytes: 1_024 };

describe('the load', () => {
  const run = jest.fn<LoadRound['run']>();
  let load: LoadService;

  beforeEach(() => {
    jest.useFakeTimers();
    run.mockReset().mockResolvedValue(undefined);
    load = new LoadService({ run } as unknown as LoadRound);
  });
  afterEach(() => {
    load.stop();
    jest.useRealTimers();
  });

  it('begins as many rounds in a second as were asked for', async () => {
    load.start(ORDER);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(run).toHaveBeenCalledTimes(100);
    expect(run).toHaveBeenCalledWith(1_024);
    expect(load.status()).toMatchObject({ order: ORDER, inFlight: 0, done: 100, failed: 0, skipped: 0 });
  });

  it('is one, however often it is started: the last order counts', async () => {
    load.start(ORDER);
    load.start({ ...ORDER, perSecond: 10 });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(run).toHaveBeenCalledTimes(10);
  });

  it('skips what is due while too many rounds are in flight', async () => {
    run.mockReturnValue(new Promise(() => undefined));
    load.start({ ...ORDER, perSecond: 500 });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(load.status()).toMatchObject({ inFlight: LOAD_LIMITS.inFlight, done: 0, skipped: 300 });
  });

  it('counts the rounds that fail, and goes on', async () => {
    run.mockRejectedValue(new Error('Redis is away'));
    load.start(ORDER);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(load.status()).toMatchObject({ inFlight: 0, done: 0, failed: 100 });
  });

  it('ends by itself', async () => {
    load.start(ORDER);
    await jest.advanceTimersByTimeAsync(LOAD_LIMITS.seconds * 1_000);
    const rounds = run.mock.calls.length;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(load.status().order).toBeNull();
    expect(run).toHaveBeenCalledTimes(rounds);
  });

  it('ends when the application begins to shut down', async () => {
    load.start(ORDER);
    load.beforeApplicationShutdown();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(run).not.toHaveBeenCalled();
  });
});

describe('the text of a round', () => {
  it.each([64, 1_024, LOAD_LIMITS.bytes])('has the length that is asked for: %i', (bytes) => {
    expect(Buffer.byteLength(textOf(bytes))).toBe(bytes);
  });
});
