import type { PoolState } from './pool.state.js';

/** How long something took, in milliseconds, over the life of the pool. All are 0 until it happened once. */
export interface DurationStats {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * What a pool looked like at one moment. `size` is `idle + leased + creating + closing` and never more than `max`.
 *
 * @publicApi
 */
export interface PoolStats {
  readonly name: string;
  readonly state: PoolState;
  readonly size: number;
  /** Ready to be lent. */
  readonly idle: number;
  /** In the hands of a caller. */
  readonly leased: number;
  /** Being opened, validated or reset: not yet anybody's. */
  readonly creating: number;
  /** Being closed; they count until they are gone. */
  readonly closing: number;
  /** Callers in the queue. */
  readonly waiting: number;
  readonly min: number;
  readonly max: number;
  /** Leases handed out so far. */
  readonly acquired: number;
  readonly created: number;
  readonly destroyed: number;
  /** Callers who gave up at their deadline. */
  readonly timeouts: number;
  readonly createFailures: number;
  /** Open while so many tries to open a resource have failed in a row that callers who depend on the next one are refused at once. */
  readonly breaker: 'closed' | 'open';
  /** From the call of `acquire()` to the lease. */
  readonly waitMs: DurationStats;
  /** From the lease to its release. */
  readonly useMs: DurationStats;
  /** Opening one resource. */
  readonly createMs: DurationStats;
}
