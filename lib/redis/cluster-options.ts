import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis';
import { isObject } from '../core/option-rules.js';

/**
 * Where a cluster is: some of its nodes, by which the others are found, and options of ioredis about the cluster.
 *
 * @publicApi
 */
export interface RedisClusterOptions {
  readonly nodes: ClusterNode[];
  readonly options?: ClusterOptions;
}

/** How long ioredis waits before it sends a command again whose node is lost, or whose slot nobody serves. */
const RETRY_DELAY_MS = 100;

/** Without `commandTimeoutMs`, so many times. */
const RETRIES = 40;

const LONGEST_RETRY_MS = 1_000;

const REFUSED: Readonly<Record<string, string>> = {
  redisOptions: 'give them as connection',
  lazyConnect: 'the pool decides when a connection is opened (see min and start())',
  enableOfflineQueue: 'commands wait until the node they are for is connected, each until its deadline',
  enableAutoPipelining:
    'a drain could not tell what is still to be sent; the callers of a shared connection are pipelined anyway',
  clusterNodeRetryStrategy: 'a lost node is looked for anew, and leased connections never reconnect',
};

/** Options of a single server that make no sense for the nodes of a cluster. */
const OF_ONE_SERVER: Readonly<Record<string, string>> = {
  host: 'name the nodes in cluster.nodes',
  port: 'name the nodes in cluster.nodes',
  path: 'name the nodes in cluster.nodes',
  sentinels: 'a cluster has no sentinels',
  db: 'a cluster has only database 0',
  readOnly: 'use cluster.options.scaleReads',
};

/** Every problem of the options of a pool that has a `cluster`, a sentence each; values are not shown. */
export function clusterOptionProblems({ cluster, url, connection }: Record<string, unknown>): string[] {
  if (!isObject(cluster)) return [];
  const { nodes, options = {}, ...others } = cluster;
  return [
    ...Object.keys(others).map((key) => `cluster.${key} is not known; cluster has nodes and options`),
    ...(Array.isArray(nodes) && nodes.length > 0
      ? []
      : ['cluster.nodes must be a list of at least one node']),
    ...(isObject(options)
      ? refusals('cluster.options', options, REFUSED)
      : ['cluster.options must be an object']),
    ...(url === undefined ? [] : ['url must be left out: name the nodes in cluster.nodes']),
    ...(isObject(connection) ? refusals('connection', connection, OF_ONE_SERVER) : []),
  ];
}

function refusals(
  what: string,
  given: Record<string, unknown>,
  refused: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(refused)
    .filter(([key]) => given[key] !== undefined && given[key] !== null && !(key === 'db' && given[key] === 0))
    .map(([key, because]) => `${what}.${key} must be left out: ${because}`);
}

/** For a client that carries commands of all callers: it follows the slots, and sends what was in flight to a lost node again. */
export function sharedClusterOptions(
  options: ClusterOptions,
  connection: RedisOptions,
  commandTimeoutMs: number,
): ClusterOptions {
  return {
    clusterRetryStrategy: (times) =>
      Math.min(LONGEST_RETRY_MS, 50 * 2 ** (times - 1)) * (0.5 + Math.random() / 2),
    // With a deadline for each command, no count of tries decides.
    maxRedirections: Math.max(RETRIES, Math.ceil((2 * commandTimeoutMs) / RETRY_DELAY_MS)),
    retryDelayOnFailover: RETRY_DELAY_MS,
    retryDelayOnClusterDown: RETRY_DELAY_MS,
    ...forEveryClient(options, connection),
  };
}

/** For a client that is lent: it follows the slots, and never sends anything again that may have been executed. */
export function leasedClusterOptions(options: ClusterOptions, connection: RedisOptions): ClusterOptions {
  return {
    ...forEveryClient(options, connection),
    clusterRetryStrategy: null,
    retryDelayOnFailover: 0,
    shardedSubscribers: true,
  };
}

/** ioredis wants scripts and the prefix of keys for the cluster as a whole. */
function forEveryClient(options: ClusterOptions, { scripts, ...connection }: RedisOptions): ClusterOptions {
  return {
    ...(scripts !== undefined && { scripts }),
    ...options,
    lazyConnect: true,
    redisOptions: connection,
  };
}
