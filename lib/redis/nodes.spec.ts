import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Cluster, type Redis } from 'ioredis';
import { eachNode, eachQuestion, eachSubscriber, nodesOf, stopSubscribers } from './nodes.js';

/** What ioredis does with a cluster that it has found; nothing of that is sent anywhere. */
interface Inner {
  connectionPool: { findOrCreate(node: { host: string; port: number }): Redis };
  subscriber: { start(): void; getInstance(): Redis | null };
  shardedSubscribers: { reset(slots: string[][], nodes: Redis[]): Promise<void> };
}

const A = { host: '127.0.0.1', port: 1 };
const B = { host: '127.0.0.1', port: 2 };

/** With real clients that never connect: it is ioredis that must do what is relied on here. */
describe('The connections of a cluster client', () => {
  let client: Cluster;
  let inner: Inner;
  const seen: Redis[] = [];
  const see = (connection: Redis) => void seen.push(connection);

  beforeEach(() => {
    seen.length = 0;
    client = new Cluster([A], { lazyConnect: true, shardedSubscribers: true });
    inner = client as unknown as Inner;
  });

  afterEach(() => client.disconnect());

  it('are visited, those to nodes that are found later, too', () => {
    const first = inner.connectionPool.findOrCreate({ ...A });
    eachNode(client, see);
    const second = inner.connectionPool.findOrCreate({ ...B });
    expect(seen).toEqual([first, second]);
    expect(nodesOf(client)).toEqual([first, second]);
  });

  it('are visited that are opened for a question, before they are', () => {
    eachQuestion(client, see);
    const question = inner.connectionPool.findOrCreate({ ...A }).duplicate();
    expect(seen).toEqual([question]);
    expect(question.status).toBe('wait');
  });

  it('are visited by which it subscribes, each once, before they are opened', () => {
    eachSubscriber(client, see);
    inner.connectionPool.findOrCreate({ ...A });
    inner.subscriber.start();
    expect(seen).toEqual([inner.subscriber.getInstance()]);
    expect(seen[0]!.status).toBe('wait');
  });

  it('are visited by which it subscribes to sharded channels, each once, before they are opened', async () => {
    eachSubscriber(client, see);
    const nodes = [A, B].map((node) => inner.connectionPool.findOrCreate({ ...node }));
    await inner.shardedSubscribers.reset([['127.0.0.1:1'], ['127.0.0.1:2']], nodes);
    expect(seen.map(({ options, status }) => [options.port, status])).toEqual([
      [1, 'wait'],
      [2, 'wait'],
    ]);
  });

  it('by which it subscribes are stopped, those of shards, too', async () => {
    eachSubscriber(client, see);
    const node = inner.connectionPool.findOrCreate({ ...A });
    inner.subscriber.start();
    await inner.shardedSubscribers.reset([['127.0.0.1:1']], [node]);
    stopSubscribers(client);
    expect(seen.map(({ status }) => status)).toEqual(['end', 'end']);
  });
});
