import { Cluster, Redis, type RedisOptions } from 'ioredis';
import {
  functionOf,
  integer,
  isObject,
  milliseconds,
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
  clusterOptionProblems,
  leasedClusterOptions,
  sharedClusterOptions,
  type RedisClusterOptions,
} from './cluster-options.js';
import {
  connectionOptionProblems,
  leasedConnectionOptions,
  sharedConnectionOptions,
} from './connection-options.js';
import { credentialsProblems, type CredentialsSource, type RedisCredentials } from './opening/credentials.js';
import type { RedisConnection } from './redis-connection.js';
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
  /**
   * `redis://user:password@host:port/database`, or `rediss://…` for TLS; `valkey://` and `valkeys://` are the same. For a Unix socket
   * `unix:///path/to/redis.sock?db=0&username=user&password=password`. Default: what ioredis defaults to, localhost:6379.
   */
  url?: string;
  /**
   * Options of ioredis (host, port, tls, sentinels, username, password, keyPrefix, scripts, …), laid over what `url` says.
   * Those about reconnecting (`retryStrategy`, `reconnectOnError`, `maxRetriesPerRequest`, …) are for the shared connections; leased
   * ones never reconnect. By default a shared connection leaves a server that answers READONLY, as a master that was demoted does, and
   * sends the command again; and commands in flight have until `commandTimeoutMs`, however often it has to reconnect. A few options
   * that would break a promise of the pool are refused.
   *
   * `scripts` become methods of `commands`, of its pipelines and transactions, and of leased connections, each with a variant for
   * Buffers. A server that has lost them (`SCRIPT FLUSH`, a restart) is given them again. TypeScript is told of them by an augmentation:
   *
   * @example
   * const options: RedisPoolOptions = {
   *   type: 'redis',
   *   connection: { scripts: { addTo: { lua: 'return redis.call("INCRBY", KEYS[1], ARGV[1])', numberOfKeys: 1 } } },
   * };
   * // with import type { Result } from 'ioredis'
   * declare module 'ioredis' {
   *   interface RedisCommander<Context> {
   *     addTo(key: string, by: number): Result<number, Context>;
   *   }
   * }
   * await pool.commands.addTo('visits', 5);
   */
  connection?: RedisOptions;
  /**
   * For a Redis Cluster, in place of `url`: some of its nodes, by which the others are found, and options of ioredis about the cluster.
   * `connection` then says how each node is connected to (tls, username, password, keyPrefix, scripts, …).
   *
   * What the pool counts is clients then, shared ones and leased ones. Each has a connection to every node that it has talked to, and for
   * a moment one more when it asks where the slots are; so that a node has at most `max` connections, and a few for that moment.
   *
   * @example
   * const options: RedisPoolOptions = {
   *   type: 'redis',
   *   cluster: { nodes: [{ host: 'redis-1', port: 6379 }, { host: 'redis-2', port: 6379 }] },
   *   connection: { username: 'app', password: 'secret', tls: {} },
   * };
   */
  cluster?: RedisClusterOptions;
  /**
   * Connections that carry the ordinary commands of all callers at once. Default 1, or 0 where `max` is 1; less than `max`.
   * With 0 every command takes a lease by itself, which is slower. With more than 1, a reply of many megabytes does not hold up others.
   */
  shared?: number;
  /**
   * How long an ordinary command on `commands` may take from being sent to its reply; one that blocks may block for as long as it likes.
   * Default 5,000; 0 is off. One that takes longer, up to a tenth, is rejected with a `PoolUnavailableError` that says why: the server
   * is busy, or silent, or the connection was lost. Whether such a command was executed is not known; it is not sent again. A connection
   * over which nothing came all that time is closed, and opened anew.
   */
  commandTimeoutMs?: number;
  /** Messages kept for each loop over a subscription that is slower than they come; then the oldest are dropped. Default 1,000. */
  maxBufferedMessages?: number;
  /**
   * Who the connections are for the server, in place of a user and password in `url` or `connection`: for passwords that rotate, and
   * tokens that expire. Asked for each new connection, also when a shared one reconnects; connections that are opened at the same time
   * share an answer. It has half of `createTimeoutMs` for it; when it fails, the connection cannot be opened, and the cause says why.
   *
   * When the answer has changed, leased connections are replaced when they come back, as by `renew()`, and shared ones authenticate
   * themselves anew; should that fail, they stay who they were, and an event `warned` says so. Shared connections ask by themselves
   * once in `maxLifetimeMs` (less up to a tenth), which must be shorter than the life of a token. After `renew()` they ask at once.
   * A source that makes a new token for each question is no reason to open all connections anew time and again: changes within a
   * minute of each other, then two, four and so on, count as one.
   *
   * @example
   * credentials: async () => ({ username: 'app', password: await vault.read('redis/app') })
   */
  credentials?: () => Promise<RedisCredentials>;
  /**
   * Makes each client, for instrumentation and tests; it must use the options that it is given. Default `new Redis(options)`, and for a
   * cluster `new Cluster(cluster.nodes, cluster.options)`.
   */
  createClient?: (options: RedisOptions, cluster?: Required<RedisClusterOptions>) => RedisConnection;
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
  readonly commandTimeoutMs: number;
  readonly maxBufferedMessages: number;
  /** What the pool of leases is told. */
  readonly leases: ResolvedPoolOptions;
  /** What ioredis is told; never shown, for it holds passwords. */
  readonly connection: RedisOptions;
  readonly cluster: RedisClusterOptions | undefined;
  readonly credentials: CredentialsSource | undefined;
  /** Each makes a client that is not connected yet. */
  readonly makeShared: () => RedisConnection;
  readonly makeLeased: () => RedisConnection;
  /** One that is never connected. */
  readonly makeIdle: () => RedisConnection;
}

const COMMAND_TIMEOUT_MS = 5_000;

const MAX_BUFFERED_MESSAGES = 1_000;

const RULES: OptionRules<RedisPoolOptions> = {
  ...POOL_OPTION_RULES,
  type: oneOf('redis'),
  url: redisUrlProblem,
  connection: plainObject('an object with options of ioredis'),
  cluster: plainObject('{ nodes, options }'),
  shared: integer(0),
  commandTimeoutMs: milliseconds('off'),
  maxBufferedMessages: integer(1),
  credentials: functionOf('() => Promise<{ username?: string; password: string }>'),
  createClient: functionOf('(options, cluster?) => Redis | Cluster'),
};

/** Every problem of the options, a sentence each. */
export function redisOptionProblems(options: object): string[] {
  const problems = optionProblems(options, RULES);
  const { connection } = isObject(options) ? options : {};
  if (isObject(connection)) problems.push(...connectionOptionProblems(connection));
  if (isObject(options)) problems.push(...clusterOptionProblems(options), ...credentialsProblems(options));
  return problems.length > 0 ? problems : roomProblems(options);
}

/**
 * Checks what was given and fills in the defaults.
 * @throws {PoolOptionsError} names every problem at once
 */
export function resolveRedisPoolOptions(pool: string, options: RedisPoolOptions): RedisPoolParts {
  const problems = redisOptionProblems(options);
  if (problems.length > 0) throw new PoolOptionsError(pool, problems);
  const { url, cluster, createClient = createByDefault } = options;
  const connection = { ...(url !== undefined && readRedisUrl(url)), ...given(options.connection) };
  const all = withDefaults(POOL_DEFAULTS, options);
  const limits = { min: all.min, max: all.max };
  const make = (each: RedisOptions, ofCluster: typeof sharedClusterOptions, create = createClient) => {
    if (cluster === undefined) return create({ ...each, lazyConnect: true });
    const { nodes, options: given = {} } = cluster;
    return create(each, { nodes, options: ofCluster(given, each, commandTimeoutMs) });
  };
  const { shared = defaultShared(all.max), commandTimeoutMs = COMMAND_TIMEOUT_MS } = options;
  return {
    limits,
    shared,
    commandTimeoutMs,
    maxBufferedMessages: options.maxBufferedMessages ?? MAX_BUFFERED_MESSAGES,
    leases: Object.freeze({ ...all, ...leaseLimits(limits, shared) }),
    connection,
    cluster,
    credentials: options.credentials,
    makeShared: () => make(sharedConnectionOptions(connection, commandTimeoutMs), sharedClusterOptions),
    makeLeased: () => make(leasedConnectionOptions(connection, all.destroyTimeoutMs), leasedClusterOptions),
    makeIdle: () => make(connection, sharedClusterOptions, createByDefault),
  };
}

const createByDefault: NonNullable<RedisPoolOptions['createClient']> = (options, cluster) =>
  cluster === undefined ? new Redis(options) : new Cluster(cluster.nodes, cluster.options);

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
