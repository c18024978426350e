import { describe, expect, it } from '@jest/globals';
import {
  LeaseBrokenError,
  LeaseReleasedError,
  PoolClosedError,
  PoolError,
  PoolNotFoundError,
  PoolOptionsError,
  tooManyWait,
  PoolTimeoutError,
  PoolUnavailableError,
} from './pool.errors.js';
import type { PoolStats } from './pool.stats.js';

const CAUSE = new Error('ECONNREFUSED');
const NONE = { p50: 0, p99: 0, max: 0 };
const STATS: PoolStats = {
  name: 'cache',
  state: 'open',
  size: 4,
  idle: 0,
  leased: 4,
  creating: 0,
  closing: 0,
  waiting: 9,
  min: 0,
  max: 4,
  acquired: 0,
  created: 4,
  destroyed: 0,
  timeouts: 0,
  createFailures: 0,
  breaker: 'closed',
  waitMs: NONE,
  useMs: NONE,
  createMs: NONE,
};
const TIMEOUT = { reason: 'leased', waitedMs: 5_000.4, overdueMs: 0.4, stats: STATS, holders: [] } as const;

describe('every error of a pool', () => {
  it.each<[string, string, PoolError, string]>([
    [
      'PoolTimeoutError',
      'ERR_POOL_TIMEOUT',
      new PoolTimeoutError('cache', TIMEOUT),
      'no resource within 5000 ms: all 4 resources are leased; raise max, shorten the work, or look for a lease that is never released (leased 4/4, idle 0, creating 0, closing 0, waiting 9)',
    ],
    [
      'PoolQueueFullError',
      'ERR_POOL_QUEUE_FULL',
      tooManyWait('cache', 100),
      '100 callers are waiting already (maxWaiting); shed load, raise max, or raise maxWaiting',
    ],
    [
      'PoolClosedError',
      'ERR_POOL_CLOSED',
      new PoolClosedError('cache', 'draining'),
      'the pool is draining and lends nothing any more',
    ],
    [
      'PoolUnavailableError',
      'ERR_POOL_UNAVAILABLE',
      new PoolUnavailableError('cache', 'could not open 2', CAUSE),
      'could not open 2: ECONNREFUSED',
    ],
    [
      'PoolOptionsError',
      'ERR_POOL_OPTIONS',
      new PoolOptionsError('cache', ['max is wrong']),
      'a problem in the options:\n  - max is wrong',
    ],
    [
      'PoolNotFoundError',
      'ERR_POOL_NOT_FOUND',
      new PoolNotFoundError('cache', []),
      'there is no such pool; none is registered',
    ],
    [
      'LeaseReleasedError',
      'ERR_POOL_LEASE_RELEASED',
      new LeaseReleasedError('cache'),
      'this lease was released; acquire a new one',
    ],
    [
      'LeaseBrokenError',
      'ERR_POOL_LEASE_BROKEN',
      new LeaseBrokenError('cache', 'the resource was lost', CAUSE),
      'the resource was lost: ECONNREFUSED',
    ],
  ])('has a class, a code, the name of its pool and a sentence: %s', (name, code, error, sentence) => {
    expect(error).toBeInstanceOf(PoolError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name, code, pool: 'cache', message: `[pool "cache"] ${sentence}` });
    expect(error.stack).toContain(name);
  });

  it('leaves the name out where no single pool is meant', () => {
    expect(new PoolError('ERR_POOL_OPTIONS', '', 'no pools').message).toBe('no pools');
  });

  it('has a cause where there is one, and no empty one elsewhere', () => {
    expect(new PoolUnavailableError('cache', 'no', CAUSE).cause).toBe(CAUSE);
    expect(new LeaseBrokenError('cache', 'lost', CAUSE).cause).toBe(CAUSE);
    expect(new PoolTimeoutError('cache', { ...TIMEOUT, cause: CAUSE }).cause).toBe(CAUSE);
    for (const error of [
      new LeaseBrokenError('cache', 'lost'),
      new PoolTimeoutError('cache', TIMEOUT),
      new LeaseReleasedError('cache'),
    ])
      expect(Object.hasOwn(error, 'cause')).toBe(false);
  });

  it('lists several problems, and the pools that are registered', () => {
    const error = new PoolOptionsError('', ['one', 'two']);
    expect(error.message).toBe('2 problems in the options:\n  - one\n  - two');
    expect(error.problems).toEqual(['one', 'two']);
    expect(new PoolNotFoundError('cash', ['cache', 'archive']).message).toBe(
      '[pool "cash"] there is no such pool; registered: "cache", "archive"',
    );
  });
});
