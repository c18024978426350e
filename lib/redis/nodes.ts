import type { Cluster, Redis } from 'ioredis';
import type { RedisConnection } from './redis-connection.js';

/** Whether a client has a connection for each node of a cluster, and not one connection only. */
export const isCluster = (client: RedisConnection): client is Cluster => client.isCluster;

/** The connections of a client. */
export function nodesOf(client: RedisConnection | undefined): Redis[] {
  if (client === undefined) return [];
  return isCluster(client) ? client.nodes() : [client];
}

/** Visits the connections of a client, those to nodes that it finds later included, before they are used. */
export function eachNode(client: RedisConnection, visit: (node: Redis) => void): void {
  nodesOf(client).forEach(visit);
  if (isCluster(client)) client.on('+node', visit);
}
