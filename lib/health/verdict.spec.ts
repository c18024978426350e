import { describe, expect, it } from '@jest/globals';
import type { PoolStats } from '../core/pool.stats.js';
import { DEFAULTS } from './health.options.js';
import {
  atMostDegraded,
  together,
  verdictOnAnswer,
  verdictOnBreaker,
  verdictOnReplication,
  verdictOnWait,
} from './verdict.js';

const stats = (some: Partial<PoolStats>) => ({ state: 'open', idle: 0, leased: 0, ...some }) as PoolStats;

describe('The verdict', () => {
  it.each([
    [249, 'up'],
    [250, 'degraded'],
  ])('on an answer after %d ms is %s, where 250 is slow', (tookMs, status) => {
    expect(verdictOnAnswer('open', tookMs, 250)).toMatchObject({ status, data: { responseTimeMs: tookMs } });
  });

  it.each([
    [19, 'up'],
    [20, 'degraded'],
    [50, 'down'],
  ])('on waits of %d ms is %s, between limits of 20 and 50', (p99, status) => {
    const verdict = verdictOnWait('open', p99, { degradedAtMs: 20, downAtMs: 50 });
    expect(verdict).toMatchObject({ status, data: { state: 'open', waitP99Ms: p99 } });
  });

  it.each([
    ['up', { breaker: 'closed' }],
    ['degraded', { breaker: 'open', idle: 1 }],
    ['degraded', { breaker: 'open', leased: 1 }],
    ['degraded', { breaker: 'open', shared: 1 }],
    ['down', { breaker: 'open' }],
  ] as const)('on the breaker is %s for %j', (status, some) => {
    expect(verdictOnBreaker(stats(some))).toMatchObject({ status, data: { breaker: some.breaker } });
  });

  it.each([
    ['up', { role: 'primary' }],
    ['up', { role: 'unknown' }],
    ['up', { role: 'replica', link: 'up', lagMs: 29_000 }],
    ['degraded', { role: 'replica', link: 'up', lagMs: 30_000 }],
    ['degraded', { role: 'replica', link: 'down' }],
    ['degraded', { role: 'replica', link: 'down', lagMs: 600_000 }],
  ] as const)('on replication is %s for %j, by default', (status, replication) => {
    const verdict = verdictOnReplication('open', replication, DEFAULTS.replication);
    expect(verdict).toMatchObject({ status, data: replication });
  });

  it('on replication is down beyond a limit for that, whether or not the link is up', () => {
    const limits = { degradedAtMs: 10, downAtMs: 60_000 };
    for (const link of ['up', 'down'] as const) {
      expect(verdictOnReplication('open', { role: 'replica', link, lagMs: 60_000 }, limits).status).toBe(
        'down',
      );
    }
  });

  it('of several checks is the gravest, with all that they say, the gravest first and nothing twice', () => {
    const verdict = together([
      { status: 'up', data: { state: 'open', one: 1 } },
      { status: 'degraded', data: { two: 2, message: 'slow' } },
      { status: 'down', data: { three: 3, message: 'gone' } },
      { status: 'degraded', data: { message: 'slow' } },
    ]);
    expect(verdict).toEqual({
      status: 'down',
      data: { state: 'open', one: 1, two: 2, three: 3, message: 'gone; slow' },
    });
  });

  it('on what is optional is degraded at most', () => {
    expect(atMostDegraded({ status: 'down', data: { message: 'gone' } })).toEqual({
      status: 'degraded',
      data: { message: 'gone' },
    });
    expect(atMostDegraded({ status: 'up', data: {} })).toEqual({ status: 'up', data: {} });
  });
});
