import { integer, isObject, milliseconds, optionProblems, type OptionRule } from '../core/option-rules.js';
import { PoolOptionsError } from '../core/pool.errors.js';
import type { ResourcePool } from '../core/resource-pool.js';

/** Which pool a check looks at. */
interface OfPool {
  /** The pool, or its name. */
  pool: string | ResourcePool<unknown>;
}

/** How a server is asked. The same question is never asked twice at the same time: who asks meanwhile shares the answer. */
interface Asking {
  /** How long the answer may take, in milliseconds. Default 1,000. */
  timeoutMs?: number;
  /** For how long an answer, or its absence, is kept, in milliseconds. Default 0: the server is asked each time. */
  cacheForMs?: number;
}

/** From when on an answer is slow. @publicApi */
export interface PingLimits {
  /** Degraded from so many milliseconds on. Default: half of `timeoutMs`. Down is no answer within `timeoutMs`. */
  degradedAtMs?: number;
}

/** Limits in shares of `max`: (leased + waiting) / max. @publicApi */
export interface SaturationLimits {
  /** Degraded from here on. Default 1: all are leased. */
  degradedAt?: number;
  /** Down from here on. Default: never, because a busy instance taken out of service makes the others busier. */
  downAt?: number;
}

/** Limits for how long 99 of 100 callers waited at most, of those who got a lease in the last minute or two. @publicApi */
export interface WaitLimits {
  /** Degraded from so many milliseconds on. Default 1,000. */
  degradedAtMs?: number;
  /** Down from so many milliseconds on. Default: never, as for saturation. */
  downAtMs?: number;
}

/** Limits for how far a replica is behind. @publicApi */
export interface ReplicationLimits {
  /**
   * Degraded from so many milliseconds on, and always while the link to the primary is down. Default 30,000: an idle primary is heard of
   * every ten seconds.
   */
  degradedAtMs?: number;
  /** Down from so many milliseconds on. Default: never, because old data is mostly better than none. */
  downAtMs?: number;
}

/** Which pool is asked, for how long, and what is slow. @publicApi */
export interface PingCheckOptions extends OfPool, Asking, PingLimits {}

/** Which pool is looked at, and where the limits are. @publicApi */
export interface SaturationCheckOptions extends OfPool, SaturationLimits {}

/** Which pool is looked at, and where the limits are. @publicApi */
export interface WaitCheckOptions extends OfPool, WaitLimits {}

/** Which pool is looked at. @publicApi */
export type BreakerCheckOptions = OfPool;

/** Which pool is asked, for how long, and where the limits are. @publicApi */
export interface ReplicationCheckOptions extends OfPool, Asking, ReplicationLimits {}

/** How servers are asked, and where the limits of each check are. @publicApi */
export interface AllChecksOptions extends Asking {
  ping?: PingLimits;
  saturation?: SaturationLimits;
  wait?: WaitLimits;
  replication?: ReplicationLimits;
}

/** As for `checkAll`, and what the application can do without. @publicApi */
export interface ReadinessCheckOptions extends AllChecksOptions {
  /** Names of pools that only degrade the application when they are down. Default: none. */
  optional?: readonly string[];
}

export const DEFAULTS = {
  asking: { timeoutMs: 1_000, cacheForMs: 0 },
  saturation: { degradedAt: 1, downAt: Infinity },
  wait: { degradedAtMs: 1_000, downAtMs: Infinity },
  replication: { degradedAtMs: 30_000, downAtMs: Infinity },
};

type Rules = Readonly<Record<string, OptionRule>>;

const share: OptionRule = (value) =>
  typeof value === 'number' && value > 0 ? undefined : 'a number greater than 0';

const group =
  (rules: Rules): OptionRule =>
  (value) => {
    const problems = isObject(value) ? optionProblems(value, rules) : ['it is no object'];
    return problems.length === 0 ? undefined : `limits (${problems.join('; ')})`;
  };

const names: OptionRule = (value) =>
  Array.isArray(value) && value.every((each) => typeof each === 'string') ? undefined : 'a list of names';

const POOL: Rules = { pool: () => undefined };
const ASKING: Rules = { timeoutMs: milliseconds(), cacheForMs: integer(0) };
const PING: Rules = { degradedAtMs: milliseconds() };
const SATURATION: Rules = { degradedAt: share, downAt: share };
const DELAY: Rules = { degradedAtMs: milliseconds(), downAtMs: milliseconds() };
const ALL: Rules = {
  ...ASKING,
  ping: group(PING),
  saturation: group(SATURATION),
  wait: group(DELAY),
  replication: group(DELAY),
};

/** What the options of each check must look like. */
export const RULES = {
  ping: { ...POOL, ...ASKING, ...PING },
  saturation: { ...POOL, ...SATURATION },
  wait: { ...POOL, ...DELAY },
  breaker: POOL,
  replication: { ...POOL, ...ASKING, ...DELAY },
  all: ALL,
  readiness: { ...ALL, optional: names },
} satisfies Record<string, Rules>;

/** @throws {PoolOptionsError} names every problem */
export function checkOptions(options: object, rules: Rules): void {
  const problems = isObject(options) ? optionProblems(options, rules) : ['the options must be an object'];
  if (problems.length > 0) throw new PoolOptionsError('', problems);
}

/** What was given, and the defaults for the rest. */
export function withDefaults<T extends object>(
  defaults: T,
  given: { readonly [Key in keyof T]?: T[Key] | undefined } = {},
): T {
  const said = Object.entries(given).filter(([key, value]) => key in defaults && value !== undefined);
  return { ...defaults, ...Object.fromEntries(said) };
}
