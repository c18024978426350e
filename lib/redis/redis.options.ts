import { Redis, type RedisOptions } from 'ioredis';
import {
  functionOf,
  integer,
  isObject,
  oneOf,
  optionProblems,
  plainObject,
  type OptionRules,
} from '../core/option-rules.js';
import { PoolOptionsError } from '../core/pool.errors.js';
import {
  limitProblems,
  POOL_DEFAULTS,
  POOL_OPTION_RULES,
  withDefaults,
  type PoolOptions,
  type ResolvedPoolOptions,
} from '../core/pool.options.js';
import {
  connectionOptionProblems,
  leasedConnectionOptions,
  sharedConnectionOptions,
} from './connection-options.js';
import { readRedisUrl, redisUrlProblem } from './redis-url.js';

/**
 * What a Redis pool can be told.
 *
 * `max` counts all connections, the shared ones included. `min` of them are kept open to be lent, as far as `max` has room for
 * them beside the shared ones.
 *
 * @publicApi
 * @example
 * const options: RedisPoolOptions = { type: 'redis', url: 'rediss://app:secret@redis.internal:6380/0', max: 16 };
 */
export interface RedisPoolOptions extends PoolOptions {
  type: 'redis';
  /** `redis://user:password@host:port/database`, or `rediss://…` for TLS. Default: what ioredis defaults to, localhost:6379. */
  url?: string;
  /**
   * Options of ioredis (host, port, tls, sentinels, username, password, keyPrefix, scripts, …), laid over what `url` says.
   * Those about reconnecting (`retryStrategy`, `reconnectOnError`, `maxRetriesPerRequest`, here 8 by default, …) are for the shared
   * connections; leased ones never reconnect. A few that would break a promise of the pool are refused.
   */
  connection?: RedisOptions;
  /**
   * Connections that carry the ordinary commands of all callers at once. Default 1, or 0 where `max` is 1; less than `max`.
   * With 0 every command takes a lease by itself, which is slower.
   */
  shared?: number;
  /** Makes each client, for instrumentation and tests; it must use the options that it is given. Default `new Redis(options)`. */
  createClient?: (options: RedisOptions) => Redis;
}

/** The limits of all connections together. */
export interface RedisPoolLimits {
  readonly min: number;
  readonly max: number;
}

/** What a Redis pool is made of, after checking. */
export interface RedisPoolParts {
  readonly limits: RedisPoolLimits;
  readonly shared: number;
  /** What the pool of leases is told. */
  readonly leases: ResolvedPoolOptions;
  /** What ioredis is told; never shown, for it holds passwords. */
  readonly connection: RedisOptions;
  /** Each makes a client that is not connected yet. */
  readonly makeShared: () => Redis;
  readonly makeLeased: () => Redis;
}

const RULES: OptionRules<RedisPoolOptions> = {
  ...POOL_OPTION_RULES,
  type: oneOf('redis'),
  url: redisUrlProblem,
  connection: plainObject('an object with options of ioredis'),
  shared: integer(0),
  createClient: functionOf('(options) => Redis'),
};

/** Every problem of the options, a sentence each. */
export function redisOptionProblems(options: object): string[] {
  const problems = optionProblems(options, RULES);
  const { connection } = isObject(options) ? options : {};
  if (isObject(connection)) problems.push(...connectionOptionProblems(connection));
  return problems.length > 0 ? problems : roomProblems(options);
}

/**
 * Checks what was given and fills in the defaults.
 * @throws {PoolOptionsError} names every problem at once
 */
export function resolveRedisPoolOptions(pool: string, options: RedisPoolOptions): RedisPoolParts {
  const problems = redisOptionProblems(options);
  if (problems.length > 0) throw new PoolOptionsError(pool, problems);
  const { url, createClient = (given: RedisOptions) => new Redis(given) } = options;
  const connection = { ...(url !== undefined && readRedisUrl(url)), ...given(options.connection) };
  const all = withDefaults(POOL_DEFAULTS, options);
  const limits = { min: all.min, max: all.max };
  const shared = options.shared ?? defaultShared(all.max);
  return {
    limits,
    shared,
    leases: Object.freeze({ ...all, ...leaseLimits(limits, shared) }),
    connection,
    makeShared: () => createClient(sharedConnectionOptions(connection)),
    makeLeased: () => createClient(leasedConnectionOptions(connection, all.destroyTimeoutMs)),
  };
}

/** Every problem of limits that change while `shared` connections exist. */
export function redisLimitProblems(limits: Partial<RedisPoolLimits>, shared: number): string[] {
  const { min, max } = POOL_OPTION_RULES;
  const problems = optionProblems(limits, { min, max } satisfies OptionRules<RedisPoolLimits>);
  return problems.length > 0 ? problems : roomProblems({ ...limits, shared });
}

/** What is left for leases. */
export function leaseLimits({ min, max }: RedisPoolLimits, shared: number): RedisPoolLimits {
  return { min: Math.min(min, max - shared), max: max - shared };
}

function roomProblems(options: Pick<RedisPoolOptions, 'min' | 'max' | 'shared'>): string[] {
  const { max = POOL_DEFAULTS.max, shared = defaultShared(max) } = options;
  const crowded = shared >= max;
  return [
    ...limitProblems(options),
    ...(crowded ? [`shared (${shared}) must be less than max (${max}), or nothing is left for leases`] : []),
  ];
}

const defaultShared = (max: number): number => (max === 1 ? 0 : 1);

/** `undefined` counts as not given. */
const given = (options: RedisOptions = {}): RedisOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
