import type { LeaseHolder } from './lease-holder.js';
import type { PoolStats } from './pool.stats.js';
import { wordsOf } from './words-of.js';

/** The stable codes of every error of this library: match on these, never on a message. */
export type PoolErrorCode =
  | 'ERR_POOL_TIMEOUT'
  | 'ERR_POOL_QUEUE_FULL'
  | 'ERR_POOL_CLOSED'
  | 'ERR_POOL_UNAVAILABLE'
  | 'ERR_POOL_DEADLOCK'
  | 'ERR_POOL_OPTIONS'
  | 'ERR_POOL_NOT_FOUND'
  | 'ERR_POOL_FACTORY'
  | 'ERR_POOL_LEASE_RELEASED'
  | 'ERR_POOL_LEASE_BROKEN'
  | (`ERR_POOL_${string}` & {});

/**
 * The base of every error that a pool makes.
 *
 * @publicApi
 * @example
 * if (error instanceof PoolError && error.code === 'ERR_POOL_TIMEOUT') reply.status(503);
 */
export class PoolError extends Error {
  /** Stable across versions. */
  readonly code: PoolErrorCode;
  /** The name of the pool; empty where no single pool is meant. */
  readonly pool: string;

  constructor(code: PoolErrorCode, pool: string, message: string, options?: ErrorOptions) {
    super(pool === '' ? message : `[pool "${pool}"] ${message}`, options);
    this.name = new.target.name;
    this.code = code;
    this.pool = pool;
  }
}

/**
 * Why nothing came free in time:
 * `leased` all resources were in use, `create-failing` none could be opened (see `cause`), `create-slow` one was still being
 * opened, `suspended` the pool was suspended, `event-loop-blocked` this process was too busy to serve anybody.
 */
export type PoolTimeoutReason =
  'leased' | 'create-failing' | 'create-slow' | 'suspended' | 'event-loop-blocked';

/** What a {@link PoolTimeoutError} tells besides its message. */
export interface PoolTimeoutDetails {
  readonly reason: PoolTimeoutReason;
  readonly waitedMs: number;
  /** How much later than the deadline this was noticed: for so long at least the event loop was blocked. */
  readonly overdueMs: number;
  readonly stats: PoolStats;
  /** The longest holders first, at most five. */
  readonly holders: readonly LeaseHolder[];
  readonly cause?: unknown;
}

/**
 * Nothing came free within the caller's deadline.
 *
 * @publicApi
 * @example
 * catch (error) {
 *   if (error instanceof PoolTimeoutError && error.reason === 'leased') logger.warn(error.holders);
 * }
 */
export class PoolTimeoutError extends PoolError {
  readonly reason: PoolTimeoutReason;
  readonly waitedMs: number;
  readonly overdueMs: number;
  readonly stats: PoolStats;
  readonly holders: readonly LeaseHolder[];

  constructor(pool: string, details: PoolTimeoutDetails) {
    const message = `no resource within ${Math.round(details.waitedMs)} ms: ${explain(details)} (${counts(details.stats)})`;
    super('ERR_POOL_TIMEOUT', pool, message, 'cause' in details ? { cause: details.cause } : undefined);
    this.reason = details.reason;
    this.waitedMs = details.waitedMs;
    this.overdueMs = details.overdueMs;
    this.stats = details.stats;
    this.holders = details.holders;
  }
}

function explain({ reason, overdueMs, stats, holders, cause }: PoolTimeoutDetails): string {
  switch (reason) {
    case 'leased': {
      if (stats.leased === 0)
        return `${stats.closing} that are still being closed take all the room; destroy() is slow`;
      const oldest = holders[0];
      const age = oldest === undefined ? '' : `, the oldest for ${Math.round(oldest.heldMs)} ms`;
      const place = oldest?.acquiredAt === undefined ? '' : ` (${oldest.acquiredAt.trim()})`;
      return `all ${stats.leased} resources are leased${age}${place}; raise max, shorten the work, or look for a lease that is never released`;
    }
    case 'create-failing':
      return `creating a resource keeps failing: ${wordsOf(cause)}`;
    case 'create-slow':
      return `${stats.creating} being created or checked had not finished; the server is slow, or acquireTimeoutMs is too short for it`;
    case 'suspended':
      return 'the pool is suspended; call resume()';
    case 'event-loop-blocked':
      return `the event loop was blocked for ${Math.round(overdueMs)} ms, so nobody could be served; look for synchronous work in this process`;
  }
}

function counts(stats: PoolStats): string {
  return `leased ${stats.leased}/${stats.max}, idle ${stats.idle}, creating ${stats.creating}, closing ${stats.closing}, waiting ${stats.waiting}`;
}

/** As much waits already as the pool's limits allow; this caller was refused at once. @publicApi */
export class PoolQueueFullError extends PoolError {
  constructor(pool: string, what: string) {
    super('ERR_POOL_QUEUE_FULL', pool, what);
  }
}

export function tooManyWait(pool: string, maxWaiting: number): PoolQueueFullError {
  const what = `${maxWaiting} callers are waiting already (maxWaiting); shed load, raise max, or raise maxWaiting`;
  return new PoolQueueFullError(pool, what);
}

/** The pool is draining or closed and lends nothing any more. @publicApi */
export class PoolClosedError extends PoolError {
  constructor(pool: string, state: string) {
    super('ERR_POOL_CLOSED', pool, `the pool is ${state} and lends nothing any more`);
  }
}

/** What the pool keeps cannot be opened at present. @publicApi */
export class PoolUnavailableError extends PoolError {
  constructor(pool: string, message: string, cause: unknown) {
    super('ERR_POOL_UNAVAILABLE', pool, `${message}: ${wordsOf(cause)}`, { cause });
  }
}

/**
 * A task inside `use()` asked for another resource, and would have waited for itself: of the same pool while all of it is leased, or of
 * another one whose holders wait for this task in turn. Refused at once. The stack tells where it asks, `holder` what it holds.
 *
 * @publicApi
 */
export class PoolDeadlockError extends PoolError {
  /** The name of the pool whose resource the task holds. */
  readonly heldPool: string;
  /** How long it has been held, and where it was acquired if `leakThresholdMs` is on. */
  readonly holder: LeaseHolder;

  constructor(pool: string, heldPool: string, holder: LeaseHolder, stats: PoolStats) {
    const held = `this task holds a resource of ${pool === heldPool ? 'this pool' : `"${heldPool}"`}`;
    const circle = pool === heldPool ? '' : ', whose other users wait for this pool in turn,';
    const place = holder.acquiredAt === undefined ? '' : `; it was acquired\n${holder.acquiredAt}`;
    super(
      'ERR_POOL_DEADLOCK',
      pool,
      `${held}${circle} and asks for one more while all ${stats.max} are leased: it would wait for itself. ` +
        `Pass the resource on, or finish with it first${place}`,
    );
    this.heldPool = heldPool;
    this.holder = holder;
  }
}

/**
 * Options that cannot work; nothing was opened. `problems` holds every one of them, a sentence each.
 *
 * @publicApi
 */
export class PoolOptionsError extends PoolError {
  readonly problems: readonly string[];

  constructor(pool: string, problems: readonly string[]) {
    const list = problems.map((problem) => `\n  - ${problem}`).join('');
    super(
      'ERR_POOL_OPTIONS',
      pool,
      `${problems.length === 1 ? 'a problem' : `${problems.length} problems`} in the options:${list}`,
    );
    this.problems = problems;
  }
}

/** No pool is registered under that name. @publicApi */
export class PoolNotFoundError extends PoolError {
  constructor(pool: string, known: readonly string[]) {
    const names =
      known.length === 0
        ? 'none is registered'
        : `registered: ${known.map((name) => `"${name}"`).join(', ')}`;
    super('ERR_POOL_NOT_FOUND', pool, `there is no such pool; ${names}`);
  }
}

/** The lease was given back before; what it lent may be in somebody else's hands. @publicApi */
export class LeaseReleasedError extends PoolError {
  constructor(pool: string) {
    super('ERR_POOL_LEASE_RELEASED', pool, 'this lease was released; acquire a new one');
  }
}

/** The resource was lost, or taken away, while it was leased. @publicApi */
export class LeaseBrokenError extends PoolError {
  constructor(pool: string, what: string, cause?: unknown) {
    const why = cause === undefined ? '' : `: ${wordsOf(cause)}`;
    super('ERR_POOL_LEASE_BROKEN', pool, `${what}${why}`, cause === undefined ? undefined : { cause });
  }
}
