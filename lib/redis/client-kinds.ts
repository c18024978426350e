import { ClusterTrouble } from './opening/cluster-trouble.js';
import { LeasedClient, type LeasedClientMeans } from './leases/leased-client.js';
import { LeasedCluster } from './leases/leased-cluster.js';
import type { LeasedConnection } from './leases/leased-connection.js';
import { isCluster } from './nodes.js';
import type { RedisConnection } from './redis-connection.js';
import { SharedCluster } from './shared/shared-cluster.js';
import {
  SharedConnection,
  type SharedClient,
  type SharedConnectionParts,
} from './shared/shared-connection.js';
import { Trouble } from './opening/trouble.js';

// Here a client of one server and one of a cluster part ways; whoever uses what is made here need not tell them apart.

export const troubleOf = (client: RedisConnection): Pick<Trouble, 'exists' | 'cause'> =>
  isCluster(client) ? new ClusterTrouble(client) : new Trouble(client);

export const sharedClient = (client: RedisConnection, parts: SharedConnectionParts): SharedClient =>
  isCluster(client) ? new SharedCluster(client, parts) : new SharedConnection(client, parts);

/** For a client that is ready and was not used yet. */
export const leasedClient = (client: RedisConnection, means: LeasedClientMeans): LeasedConnection =>
  isCluster(client) ? new LeasedCluster(client, means) : new LeasedClient(client, means);

/** The client would connect, or send, again behind its holder's back. */
export function mayReconnect(client: RedisConnection): boolean {
  if (!isCluster(client)) return Boolean(client.options.retryStrategy);
  const { clusterRetryStrategy, clusterNodeRetryStrategy, retryDelayOnFailover } = client.options;
  return Boolean(clusterRetryStrategy) || Boolean(clusterNodeRetryStrategy) || retryDelayOnFailover !== 0;
}
