import type { RedisPoolOptions } from './redis.options.js';
import { readRedisUrl } from './redis-url.js';

/** What ioredis defaults to. */
const DEFAULTS = { host: 'localhost', port: 6379, sentinelPort: 26379, db: 0 };

/** Where the connections of a pool lead, for people to read; without user and password. The options were checked before. */
export function redisAddress({ url, connection, cluster }: Omit<RedisPoolOptions, 'type'>): string {
  if (cluster !== undefined) return `cluster of ${cluster.nodes.map((node) => nodeAddress(node)).join(', ')}`;
  const { host, port, path, db, sentinels, name } = {
    ...(url !== undefined && readRedisUrl(url)),
    ...connection,
  };
  const database = db === undefined || db === DEFAULTS.db ? '' : `/${db}`;
  if (sentinels != null) {
    const watched = sentinels.map((each) => hostAndPort(each.host, each.port ?? DEFAULTS.sentinelPort));
    return `"${name}" of sentinels ${watched.join(', ')}${database}`;
  }
  return `${path ?? hostAndPort(host, port)}${database}`;
}

function nodeAddress(node: NonNullable<RedisPoolOptions['cluster']>['nodes'][number]): string {
  if (typeof node === 'number') return hostAndPort(undefined, node);
  if (typeof node === 'object') return hostAndPort(node.host, node.port);
  return node.replace(/^(.*@|[a-z]+:\/\/)/s, '').replace(/[/?#].*$/s, '');
}

const hostAndPort = (host = DEFAULTS.host, port: string | number = DEFAULTS.port): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
