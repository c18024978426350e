import { describe, expect, it } from '@jest/globals';
import { PoolTimeoutError, type PoolTimeoutReason } from '../core/pool.errors.js';
import type { PoolStats } from '../core/pool.stats.js';
import { failure } from './examiner.js';

const timeOut = (reason: PoolTimeoutReason) =>
  new PoolTimeoutError('cache', {
    reason,
    waitedMs: 1_000,
    overdueMs: 0,
    stats: {} as PoolStats,
    holders: [],
    cause: new Error('connect ECONNREFUSED'),
  });

describe('A check that failed', () => {
  it.each<[PoolTimeoutReason, string]>([
    ['leased', 'degraded'],
    ['event-loop-blocked', 'degraded'],
    ['create-failing', 'down'],
    ['create-slow', 'down'],
  ])('because of a wait that ended with "%s" is %s', (reason, status) => {
    expect(failure(timeOut(reason))).toMatchObject({ status });
  });

  it('because of anything else is down, and says why without secrets', () => {
    const error = new Error('redis://:hush@cache is gone');
    const data = { message: 'redis://***@cache is gone' };
    expect(failure(error)).toMatchObject({ status: 'down', data });
  });
});
