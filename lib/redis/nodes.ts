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

/** Visits the connections over which ioredis asks the nodes of a cluster for their slots, one for each question, before they are opened. */
export function eachQuestion(client: Cluster, visit: (question: Redis) => void): void {
  eachNode(client, (node) => {
    const duplicate = node.duplicate.bind(node);
    node.duplicate = (override) => {
      const question = duplicate(override);
      visit(question);
      return question;
    };
  });
}

/** Visits the connections by which ioredis subscribes in a cluster, before they are opened. */
export function eachSubscriber(client: Cluster, visit: (subscriber: Redis) => void): void {
  const { subscriber, shardedSubscribers: ofShards } = client as unknown as Hidden;
  const visited = new WeakSet<Redis>();
  const look = (hider: Hider) => {
    const instance = hider.getInstance();
    if (instance === null || visited.has(instance)) return;
    visited.add(instance);
    visit(instance);
  };
  const select = subscriber.selectSubscriber.bind(subscriber);
  subscriber.selectSubscriber = () => {
    select();
    look(subscriber);
  };
  client.on('+subscriber', () => ofShards?.shardedSubscribers.forEach(look));
}

/** As ioredis does it when it disconnects a client; but a client whose nodes have all gone has ended before, and keeps those of shards. */
export function stopSubscribers(client: Cluster): void {
  const { subscriber, shardedSubscribers: ofShards } = client as unknown as Hidden;
  subscriber.stop();
  ofShards?.stop();
}

interface Hider {
  getInstance(): Redis | null;
}

/** What ioredis keeps to itself of a client of a cluster: a subscriber for all that is published, and one for each shard. */
interface Hidden {
  readonly subscriber: Hider & { selectSubscriber(): void; stop(): void };
  readonly shardedSubscribers?: { readonly shardedSubscribers: ReadonlyMap<string, Hider>; stop(): void };
}
