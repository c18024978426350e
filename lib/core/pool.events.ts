import type { DrainReport } from './drain-report.js';
import type { PoolState } from './pool.state.js';

/** Why a resource was closed. A reason given to `lease.destroy(reason)` stands here as it is. */
export type DestroyReason =
  | 'idle'
  | 'lifetime'
  | 'uses'
  | 'invalid'
  | 'broken'
  | 'discarded'
  | 'surplus'
  | 'outdated'
  | 'aborted'
  | 'leaked'
  | 'revoked'
  | 'drained'
  | (string & {});

/** An event before its pool has put its name on it. */
export type PoolHappening =
  | { readonly type: 'created'; readonly createMs: number }
  | { readonly type: 'create-failed'; readonly error: unknown }
  | { readonly type: 'breaker-opened'; readonly cause: unknown }
  | { readonly type: 'breaker-closed' }
  /**
   * What all callers share, beside what is lent, cannot be used: all shared connections of a Redis pool are lost, or none can be opened.
   * Told again for each try that fails.
   */
  | { readonly type: 'disconnected'; readonly cause: unknown }
  /** It can be used, for the first time or again. */
  | { readonly type: 'connected' }
  | { readonly type: 'acquired'; readonly waitMs: number }
  | { readonly type: 'released'; readonly useMs: number }
  | { readonly type: 'destroyed'; readonly reason: DestroyReason }
  | { readonly type: 'destroy-failed'; readonly error: unknown }
  | { readonly type: 'timed-out'; readonly error: Error }
  /** Held for longer than `leakThresholdMs`; or garbage-collected without release, and then its resource is closed. */
  | {
      readonly type: 'leaked';
      readonly heldMs: number;
      readonly acquiredAt: string;
      readonly collected: boolean;
    }
  | { readonly type: 'returned-late'; readonly heldMs: number; readonly acquiredAt: string }
  /** Something that works, and probably not as it is meant to. */
  | { readonly type: 'warned'; readonly message: string }
  | { readonly type: 'state-changed'; readonly state: PoolState }
  | { readonly type: 'drained'; readonly report: DrainReport };

/**
 * Something that happened in a pool, told by `pool.events$` after it happened.
 *
 * @publicApi
 * @example
 * pool.events$.pipe(filter((event) => event.type === 'leaked')).subscribe((leak) => logger.warn(leak.acquiredAt));
 */
export type PoolEvent = { readonly pool: string } & PoolHappening;
