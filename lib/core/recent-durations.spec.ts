import { describe, expect, it } from '@jest/globals';
import { advance, useFakeTime } from '../../test/support/fake-time.js';
import { RecentDurations } from './recent-durations.js';

useFakeTime();

async function pass(durations: RecentDurations, ms: number): Promise<void> {
  await advance(ms);
  durations.turn(performance.now());
}

describe('Recent durations', () => {
  it('are all that was recorded in the last minute', async () => {
    const durations = new RecentDurations();
    for (let at = 0; at < 50; at += 1) durations.record(0);
    await pass(durations, 59_000);
    for (let at = 0; at < 50; at += 1) durations.record(400);
    await pass(durations, 59_000);
    const { p50, p99, max } = durations.read();
    expect(p50).toBe(0);
    expect(p99 / 400).toBeCloseTo(1, 1);
    expect(max / 400).toBeCloseTo(1, 1);
  });

  it('forget what is two minutes old, also when nobody came meanwhile', async () => {
    const durations = new RecentDurations();
    durations.record(400);
    await pass(durations, 61_000);
    durations.record(20);
    await pass(durations, 60_000);
    expect(durations.read().max / 20).toBeCloseTo(1, 1);
    durations.record(30);
    await pass(durations, 600_000);
    expect(durations.read()).toEqual({ p50: 0, p99: 0, max: 0 });
  });
});
