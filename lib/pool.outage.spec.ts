import { describe, expect, it } from '@jest/globals';
import { advance, useFakeTime } from '../test/support/fake-time.js';
import { PoolTimeoutError, type PoolTimeoutReason } from './core/pool.errors.js';
import type { PoolHappening } from './core/pool.events.js';
import type { PoolStats } from './core/pool.stats.js';
import { OutageWatch } from './pool.outage.js';

useFakeTime();

const refused = new Error('ECONNREFUSED');
const createFailed: PoolHappening = { type: 'create-failed', error: refused };
const created: PoolHappening = { type: 'created', createMs: 1 };
const disconnected: PoolHappening = { type: 'disconnected', cause: refused };
const connected: PoolHappening = { type: 'connected' };
const breakerOpened: PoolHappening = { type: 'breaker-opened', cause: refused };
const breakerClosed: PoolHappening = { type: 'breaker-closed' };

function timedOut(reason: PoolTimeoutReason): PoolHappening {
  const details = { reason, waitedMs: 1, overdueMs: 0, stats: {} as PoolStats, holders: [], cause: refused };
  return { type: 'timed-out', error: new PoolTimeoutError('p', details) };
}

function aWatch() {
  const told: unknown[] = [];
  const watch = new OutageWatch({
    began: (cause) => told.push(cause),
    ended: (durationMs) => told.push(durationMs),
  });
  const hear = (...happenings: PoolHappening[]) => {
    for (const happening of happenings) watch.hear({ pool: 'p', ...happening });
  };
  return { watch, told, hear };
}

describe('An outage', () => {
  it('is told when a lost connection stays away, with what is known by then, and once', async () => {
    const { told, hear } = aWatch();
    hear({ type: 'disconnected', cause: new Error('closed') });
    await advance(400);
    hear(disconnected);
    expect(told).toEqual([]);
    await advance(600);
    expect(told).toEqual([refused]);
    for (let tries = 0; tries < 20; tries += 1) {
      hear(disconnected, createFailed, timedOut('create-failing'));
      await advance(1_000);
    }
    expect(told).toEqual([refused]);
    hear(connected, created, connected);
    expect(told).toEqual([refused, 21_000]);
  });

  it('is no outage when the connection is back within a second', async () => {
    const { told, hear } = aWatch();
    for (let times = 0; times < 10; times += 1) {
      hear(disconnected);
      await advance(900);
      hear(connected);
    }
    await advance(10_000);
    expect(told).toEqual([]);
  });

  it('is told when the breaker opens, and over when it closes, not when something is opened that breaks at once', async () => {
    const { told, hear } = aWatch();
    hear(createFailed);
    await advance(300);
    hear(breakerOpened);
    expect(told).toEqual([refused]);
    await advance(5_000);
    hear(created);
    expect(told).toEqual([refused]);
    hear(breakerClosed);
    expect(told).toEqual([refused, 5_300]);
  });

  it('is told when tries fail a second apart, and nothing succeeds between', async () => {
    const { told, hear } = aWatch();
    hear(createFailed);
    await advance(600);
    hear(createFailed, created, createFailed);
    await advance(600);
    hear(createFailed);
    expect(told).toEqual([]);
    await advance(600);
    hear(createFailed);
    expect(told).toEqual([refused]);
  });

  it('is not a single failure that nobody minds', async () => {
    const { told, hear } = aWatch();
    hear(createFailed);
    await advance(3_600_000);
    hear(created);
    expect(told).toEqual([]);
  });

  it('is also that callers time out because nothing can be opened, and not because all is leased', async () => {
    const { told, hear } = aWatch();
    hear(timedOut('leased'), timedOut('suspended'));
    await advance(5_000);
    hear(timedOut('leased'));
    expect(told).toEqual([]);
    hear(timedOut('create-slow'));
    await advance(1_000);
    hear(timedOut('create-slow'));
    expect(told).toEqual([refused]);
  });

  it('that somebody has told already is only ended', async () => {
    const { watch, told, hear } = aWatch();
    hear(disconnected);
    watch.toldAlready();
    await advance(3_000);
    hear(disconnected, breakerOpened);
    expect(told).toEqual([]);
    hear(connected);
    expect(told).toEqual([3_000]);
  });

  it('may follow another', async () => {
    const { told, hear } = aWatch();
    for (const ms of [2_000, 3_000]) {
      hear(disconnected);
      await advance(ms);
      hear(connected);
    }
    expect(told).toEqual([refused, 2_000, refused, 3_000]);
  });

  it('is not told any more when the pool is being closed', async () => {
    const { watch, told, hear } = aWatch();
    hear(disconnected);
    watch.end();
    await advance(3_000);
    hear(disconnected, breakerOpened, connected);
    expect(told).toEqual([]);
  });
});
