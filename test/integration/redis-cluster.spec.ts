import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { firstValueFrom, type Observable } from 'rxjs';
import type { RedisMessage } from '../../lib/redis/messages/message-stream.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';
import { eventually } from '../support/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';

const LONG_MS = 60_000;

let cluster: RedisCluster;
let pool: RedisPool;

beforeAll(async () => {
  cluster = await RedisCluster.start();
}, LONG_MS);

afterAll(() => cluster.stop());

beforeEach(async () => {
  pool = new RedisPool('cache', { type: 'redis', max: 16, cluster: { nodes: cluster.addresses } });
  await pool.start();
});

afterEach(async () => {
  await pool.drain();
  await eventually('no connection is left', async () => (await cluster.clients()).length === 0);
}, LONG_MS);

let lonely: RedisServer | undefined;
const standalone = async () => (lonely ??= await startRedisServer());
afterAll(() => lonely?.stop());

/** Keys in slots of all masters. */
const KEYS = Array.from({ length: 30 }, (_, at) => `key-${at}`);

describe('The commands of a pool for a cluster', () => {
  it('find the node for each key, with the replies of ioredis', async () => {
    await Promise.all(KEYS.map((key) => pool.commands.set(key, `value of ${key}`)));
    const values = await Promise.all(KEYS.map((key) => pool.commands.get(key)));
    expect(values).toEqual(KEYS.map((key) => `value of ${key}`));
    await expect(pool.commands.hgetall('nothing')).resolves.toEqual({});
    await expect(pool.commands.getBuffer('key-1')).resolves.toEqual(Buffer.from('value of key-1'));
    expect(pool.stats()).toMatchObject({ shared: 1, size: 1 });
  });

  it('are collected by pipelines and transactions whose keys are on one node', async () => {
    await expect(pool.commands.pipeline().set('{a}1', 1).incr('{a}1').exec()).resolves.toEqual([
      [null, 'OK'],
      [null, 2],
    ]);
    await expect(pool.commands.multi().set('{a}2', 1).incr('{a}2').exec()).resolves.toEqual([
      [null, 'OK'],
      [null, 2],
    ]);
    await expect(pool.commands.pipeline().exec()).resolves.toEqual([]);
  });

  it('are refused where an argument cannot be made a string, and leave nothing behind', async () => {
    const malformed = Object.create(null) as string;
    const refused = { code: 'ERR_POOL_COMMAND_REFUSED' };
    await expect(pool.commands.set('key', malformed)).rejects.toMatchObject(refused);
    await expect(pool.commands.multi().set('key', malformed).exec()).rejects.toMatchObject(refused);
    await expect(pool.use((redis) => redis.set('key', malformed))).rejects.toMatchObject(refused);
    await expect(pool.drain()).resolves.toMatchObject({ clean: true });
  });

  it('are refused as ioredis and the servers refuse them', async () => {
    await expect(pool.commands.mget('a', 'b')).rejects.toThrow('CROSSSLOT');
    await expect(pool.commands.pipeline().get('a').get('b').exec()).rejects.toThrow(
      'same slots allocation group',
    );
  });

  it('that block have a client of their own, and are ended without harm to it', async () => {
    const job = pool.commands.blpop('{b}jobs', 0);
    await pool.commands.rpush('{b}jobs', 'work');
    await expect(job).resolves.toEqual(['{b}jobs', 'work']);
    const ending = new AbortController();
    const cancelled = pool.use((redis) => redis.blpop('{b}jobs', 0), { signal: ending.signal });
    await eventually('it blocks', async () =>
      (await cluster.clients()).some((line) => line.includes('cmd=blpop')),
    );
    ending.abort(new Error('enough'));
    await expect(cancelled).rejects.toThrow('enough');
    await eventually('the client is back', () => pool.stats().idle === 1);
    expect(pool.stats()).toMatchObject({ leased: 0, destroyed: 0 });
  });
});

describe('A lease of a cluster client', () => {
  it('lends a real client that never sends anything again', async () => {
    await pool.use((redis) => {
      expect(redis).toBeInstanceOf(Cluster);
      expect(redis.options).toMatchObject({ clusterRetryStrategy: null, retryDelayOnFailover: 0 });
    });
  });

  it('is passed on as it is when nothing was changed', async () => {
    const first = await pool.use(async (redis) => {
      await Promise.all(KEYS.map((key) => redis.set(key, 1)));
      return redis;
    });
    expect((await pool.use((redis) => redis)) === first).toBe(true);
  });

  it('tells a transaction over several nodes what ioredis says, and that it was not executed', async () => {
    const spread = pool.transaction(['{a}1'], (redis) =>
      Promise.resolve(redis.multi().incr('{a}1').incr('b')),
    );
    await expect(spread).rejects.toThrow('same slots allocation group');
  });

  it('gives a transaction that watches its keys', async () => {
    const take = (meanwhile: () => Promise<unknown>) =>
      pool.use(async (redis) => {
        await redis.watch('stock');
        await meanwhile();
        return redis.multi().incr('stock').exec();
      });
    await expect(take(() => pool.commands.incr('stock'))).resolves.toBeNull();
    await expect(take(() => Promise.resolve())).resolves.toEqual([[null, 2]]);
  });

  it('refuses to watch keys on two nodes, for a transaction heeds only those of one', async () => {
    const [one, other] = await cluster.keysOfTwoMasters();
    const watching = pool.use(async (redis) => {
      await redis.watch(one);
      await redis.watch(other);
    });
    await expect(watching).rejects.toMatchObject({ code: 'ERR_POOL_COMMAND_REFUSED' });
  });

  it('is undone on whatever node it was changed, or not passed on', async () => {
    const changed = await pool.use(async (redis) => {
      await redis.watch('stock');
      await redis.subscribe('news');
      return redis;
    });
    await pool.use(async (redis) => {
      expect(redis === changed).toBe(false);
      await pool.commands.incr('stock');
      await expect(redis.multi().get('stock').exec()).resolves.toEqual([[null, '3']]);
    });
  });

  it('is broken when the connection to a node is lost that was used', async () => {
    const used = pool.use(async (redis) => {
      const master = await cluster.masterOf('list');
      const blocked = redis.blpop('list', 0);
      await eventually('it blocks', async () =>
        (await master.clients()).some((line) => line.includes('cmd=blpop')),
      );
      const [, id] = /id=(\d+)/.exec((await master.clients()).find((line) => line.includes('cmd=blpop'))!)!;
      await Promise.all([blocked, master.call('CLIENT', 'KILL', 'ID', id!)]);
    });
    await expect(used).rejects.toMatchObject({ code: 'ERR_POOL_LEASE_BROKEN' });
  });
});

describe('Subscribers', () => {
  const heardBy = async (
    messages: Observable<RedisMessage>,
    count: () => Promise<unknown>,
    publish: () => Promise<unknown>,
  ) => {
    const heard = firstValueFrom(messages);
    await eventually('it is subscribed', async () => Number(await count()) > 0);
    await publish();
    return heard;
  };
  const countOf = async (...question: string[]) => {
    const counts = await Promise.all(cluster.nodes.map((node) => node.call('PUBSUB', ...question)));
    return counts.flat().filter((count) => Number(count) > 0).length;
  };

  it('hear what is published by any node', async () => {
    const heard = heardBy(
      pool.subscribe('news'),
      () => countOf('NUMSUB', 'news'),
      () => Promise.all(cluster.nodes.map((node) => node.call('PUBLISH', 'news', 'hello'))),
    );
    await expect(heard).resolves.toEqual({ channel: 'news', message: 'hello' });
  });

  it('hear what is published to channels that match', async () => {
    const heard = heardBy(
      pool.psubscribe('news.*'),
      () => countOf('NUMPAT'),
      () => pool.commands.publish('news.today', 'hello'),
    );
    await expect(heard).resolves.toEqual({ pattern: 'news.*', channel: 'news.today', message: 'hello' });
  });

  it('hear what is published to sharded channels', async () => {
    const heard = heardBy(
      pool.ssubscribe('shard'),
      () => countOf('SHARDNUMSUB', 'shard'),
      () => pool.commands.spublish('shard', 'hello'),
    );
    await expect(heard).resolves.toEqual({ channel: 'shard', message: 'hello' });
  });

  it(
    'are told that they may have missed something when their connection was lost',
    async () => {
      const heard: RedisMessage[] = [];
      const subscription = pool.subscribe('news').subscribe((message) => heard.push(message));
      const isSubscribed = async () => (await countOf('NUMSUB', 'news')) === 1;
      await eventually('it is subscribed', isSubscribed);
      for (const node of cluster.nodes) await node.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await eventually('it hears again', async () => {
        await pool.commands.publish('news', 'hello');
        return heard.length > 0;
      });
      expect(heard[0]).toEqual({ channel: 'news', message: 'hello', lost: 'unknown' });
      subscription.unsubscribe();
    },
    LONG_MS,
  );
});

describe('A pool for a cluster says why it cannot start:', () => {
  it.each<[string, () => Promise<RedisPoolOptions['cluster']>, RegExp]>([
    [
      'nobody listens there',
      () => Promise.resolve({ nodes: [{ host: '127.0.0.1', port: 1 }] }),
      /ECONNREFUSED/,
    ],
    ['that is no cluster', async () => ({ nodes: [(await standalone()).port] }), /cluster support disabled/],
  ])('%s', async (_what, to, cause) => {
    const lost = new RedisPool('lost', { type: 'redis', cluster: await to() });
    await expect(lost.start({ timeoutMs: 1_500 })).rejects.toMatchObject({
      code: 'ERR_POOL_UNAVAILABLE',
      message: expect.stringMatching(cause) as unknown,
    });
    await lost.drain();
  });
});
