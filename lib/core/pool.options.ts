import {
  integer,
  milliseconds,
  oneOf,
  optionProblems,
  trueOrFalse,
  type OptionRules,
} from './option-rules.js';
import { PoolOptionsError } from './pool.errors.js';

/**
 * What every pool can be told. All are optional; in an option that ends in `Ms`, 0 switches it off where that makes sense.
 *
 * @publicApi
 */
export interface PoolOptions {
  /** Resources kept open even when nobody needs them. Default 0; at most `max`. */
  min?: number;
  /** Resources that may exist at once, those being opened or closed included. Default 10; at least 1. */
  max?: number;
  /** How long a caller waits for a resource; 0 waits for ever. Default 5,000. */
  acquireTimeoutMs?: number;
  /** Callers that may wait at once; one more is refused at once. Default 10,000; 0 refuses whoever would have to wait. */
  maxWaiting?: number;
  /** How long opening, validating or resetting one resource may take. Default 10,000. */
  createTimeoutMs?: number;
  /** How long closing one resource may take. Default 5,000. */
  destroyTimeoutMs?: number;
  /** A resource above `min` that lay idle this long is closed. Default 30,000; 0 keeps it. */
  idleTimeoutMs?: number;
  /** A resource is replaced at this age, up to a tenth earlier so that a fleet does not die at once. Default 1,800,000; 0 never. */
  maxLifetimeMs?: number;
  /** A resource is replaced after so many leases. Default 0: never. */
  maxUses?: number;
  /** A resource that lay idle longer is validated before it is lent. Default 500; 0 validates each time. */
  validateAfterIdleMs?: number;
  /** An idle resource is validated this often in the background. Default 0: never. */
  keepAliveMs?: number;
  /** A lease held longer is reported with the stack that acquired it. Default 0: off, and then no stack is captured. */
  leakThresholdMs?: number;
  /** Which idle resource is lent: the one used last (`lifo`, lets the others go idle and close) or longest ago. Default `lifo`. */
  order?: 'lifo' | 'fifo';
  /**
   * A task inside `use()` that asks for more while all are leased is refused at once with a `PoolDeadlockError`, instead of waiting for
   * itself. Default true. Such tasks are told apart by their async context, which costs a `use()` of an exhausted pool about 1.5 µs
   * before Node 24, and a third of that since; a pool that is not exhausted pays nothing.
   */
  detectDeadlocks?: boolean;
}

/** Options after checking, with every default in place. */
export type ResolvedPoolOptions = Readonly<Required<PoolOptions>>;

export const POOL_DEFAULTS: ResolvedPoolOptions = Object.freeze({
  min: 0,
  max: 10,
  acquireTimeoutMs: 5_000,
  maxWaiting: 10_000,
  createTimeoutMs: 10_000,
  destroyTimeoutMs: 5_000,
  idleTimeoutMs: 30_000,
  maxLifetimeMs: 1_800_000,
  maxUses: 0,
  validateAfterIdleMs: 500,
  keepAliveMs: 0,
  leakThresholdMs: 0,
  order: 'lifo',
  detectDeadlocks: true,
});

export const POOL_OPTION_RULES: OptionRules<PoolOptions> = {
  min: integer(0),
  max: integer(1),
  acquireTimeoutMs: milliseconds('off'),
  maxWaiting: integer(0),
  createTimeoutMs: milliseconds(),
  destroyTimeoutMs: milliseconds(),
  idleTimeoutMs: milliseconds('off'),
  maxLifetimeMs: milliseconds('off'),
  maxUses: integer(0),
  validateAfterIdleMs: milliseconds('always'),
  keepAliveMs: milliseconds('off'),
  leakThresholdMs: milliseconds('off'),
  order: oneOf('lifo', 'fifo'),
  detectDeadlocks: trueOrFalse,
};

/** Options that are right one by one and wrong together. */
export function limitProblems(options: PoolOptions): string[] {
  const { min, max } = withDefaults(POOL_DEFAULTS, options);
  return min > max ? [`min (${min}) must not be greater than max (${max})`] : [];
}

/** Lays what was given over the defaults; `undefined` counts as not given. */
export function withDefaults<Defaults extends object>(defaults: Defaults, given: object): Defaults {
  const chosen = Object.entries(given).filter(
    ([key, value]) => value !== undefined && Object.hasOwn(defaults, key),
  );
  return Object.freeze({ ...defaults, ...Object.fromEntries(chosen) });
}

/** Every problem of the options that all pools share, a sentence each. */
export function poolOptionProblems(given: unknown): string[] {
  const problems = optionProblems(given, POOL_OPTION_RULES);
  return problems.length > 0 ? problems : limitProblems(given as PoolOptions);
}

/** @throws {PoolOptionsError} names every problem of what one call was given */
export function checkOptions<Options>(pool: string, given: Options, rules: OptionRules<Options>): void {
  const problems = optionProblems(given, rules);
  if (problems.length > 0) throw new PoolOptionsError(pool, problems);
}
