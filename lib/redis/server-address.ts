import type { PoolDescription } from '../core/pool.description.js';
import type { RedisPoolParts } from './redis.options.js';

/** What ioredis takes where nothing is said. */
const DEFAULTS = { host: 'localhost', port: 6379 };

/** The one server that all connections go to. There is none to name for a cluster, and behind sentinels it changes. */
export function serverAddress({
  connection,
  cluster,
}: Pick<RedisPoolParts, 'connection' | 'cluster'>): PoolDescription['server'] {
  const { path, sentinels, host = DEFAULTS.host, port = DEFAULTS.port } = connection;
  if (cluster !== undefined || sentinels) return undefined;
  return path ? { address: path } : { address: host, port };
}
