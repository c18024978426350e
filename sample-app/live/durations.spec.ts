import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Durations } from './durations.js';

describe('durations', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('are read as a rate and two percentiles', () => {
    const durations = new Durations();
    for (let ms = 100; ms >= 1; ms--) durations.add(ms);
    jest.advanceTimersByTime(500);
    expect(durations.read()).toEqual({ perSecond: 200, p50: 50, p99: 99 });
  });

  it('are begun anew when they were read', () => {
    const durations = new Durations();
    durations.add(1.23456);
    jest.advanceTimersByTime(1_500);
    expect(durations.read()).toEqual({ perSecond: 0.7, p50: 1.235, p99: 1.235 });
    jest.advanceTimersByTime(500);
    expect(durations.read()).toEqual({ perSecond: 0, p50: null, p99: null });
  });
});
