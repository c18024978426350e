import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { LeaseBrokenError } from '../../lib/core/pool.errors.js';
import type { RedisConnection } from '../../lib/redis/redis-connection.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { useRedisServer } from '../support/redis-server.js';

const server = useRedisServer();

const CLOSED = new Error('the server closed the connection');

/** One connection to lend, so that the next holder gets what the last one left. */
let pool: RedisPool;

beforeEach(async () => {
  pool = new RedisPool('cache', { type: 'redis', url: server.url, max: 2 });
  await pool.commands.flushall();
});

afterEach(() => pool.drain());

const idOf = (redis: RedisConnection) => redis.client('ID');

describe('A lease', () => {
  it('lends a real client that never reconnects or sends anything again', async () => {
    await pool.use((redis) => {
      expect(redis).toBeInstanceOf(Redis);
      expect(redis.status).toBe('ready');
      expect(redis.options).toMatchObject({
        retryStrategy: null,
        reconnectOnError: null,
        autoResubscribe: false,
        autoResendUnfulfilledCommands: false,
        enableOfflineQueue: false,
      });
    });
  });

  it('passes the same connection on when nothing was changed, and sends nothing in between', async () => {
    const seen = async (redis: RedisConnection) => {
      const stats = await redis.info('stats');
      return { commands: Number(/total_commands_processed:(\d+)/.exec(stats)?.[1]), id: await idOf(redis) };
    };
    const first = await pool.use(async (redis) => {
      await redis.multi().set('a', 1).incr('a').exec();
      await redis.pipeline().get('a').exec();
      await redis.blpop('nothing', 0.01);
      return seen(redis);
    });
    const second = await pool.use(seen);
    expect(second.id).toBe(first.id);
    expect(second.commands - first.commands).toBe(2); // the INFO and the CLIENT ID of the first holder
    expect(pool.stats()).toMatchObject({ destroyed: 0, acquired: 2 });
  });

  it('asks a connection that lay idle whether it still answers', async () => {
    const careful = new RedisPool('careful', {
      type: 'redis',
      url: server.url,
      max: 2,
      validateAfterIdleMs: 0,
    });
    const pings = async () =>
      Number(/cmdstat_ping:calls=(\d+)/.exec(await pool.commands.info('commandstats'))?.[1] ?? 0);
    const first = await careful.use(idOf);
    const before = await pings();
    await expect(careful.use(idOf)).resolves.toBe(first);
    expect((await pings()) - before).toBe(1);
    await careful.drain();
  });

  it('that failed in its task passes the same connection on', async () => {
    const first = await pool.use(idOf);
    await expect(pool.use((redis) => redis.call('NOSUCHCOMMAND'))).rejects.toThrow('unknown command');
    await expect(pool.use(idOf)).resolves.toBe(first);
  });

  it('to a master that was demoted meanwhile is not passed on', async () => {
    const first = await pool.use(idOf);
    const written = pool.use(async (redis) => {
      await pool.commands.replicaof('127.0.0.1', 1);
      await redis.set('key', 'value').finally(() => pool.commands.replicaof('NO', 'ONE'));
    });
    await expect(written).rejects.toThrow('READONLY');
    await expect(pool.use(idOf)).resolves.not.toBe(first);
    expect(pool.stats()).toMatchObject({ destroyed: 1 });
  });

  it('delivers what its holder sent and did not wait for', async () => {
    const replies: Promise<unknown>[] = [];
    await pool.use((redis) => {
      replies.push(redis.set('left', 'behind'));
    });
    await expect(Promise.all(replies)).resolves.toEqual(['OK']);
    await expect(pool.commands.get('left')).resolves.toBe('behind');
  });

  it('gives a transaction that watches its keys', async () => {
    await pool.commands.set('stock', 5);
    const take = (meanwhile: () => Promise<unknown>) =>
      pool.use(async (redis) => {
        await redis.watch('stock');
        const stock = Number(await redis.get('stock'));
        await meanwhile();
        return redis
          .multi()
          .set('stock', stock - 1)
          .exec();
      });
    await expect(take(() => pool.commands.decr('stock'))).resolves.toBeNull();
    await expect(take(() => Promise.resolve())).resolves.toEqual([[null, 'OK']]);
    await expect(pool.commands.get('stock')).resolves.toBe('3');
  });

  describe('whose connection is lost', () => {
    const kill = async (redis: RedisConnection) => pool.commands.client('KILL', 'ID', await idOf(redis));

    it('while a command waits for its answer is broken and says so', async () => {
      const used = pool.use(async (redis) => {
        const id = await idOf(redis);
        await Promise.all([redis.blpop('nothing', 0), pool.commands.client('KILL', 'ID', id)]);
      });
      await expect(used).rejects.toThrow(LeaseBrokenError);
      await expect(used).rejects.toMatchObject({
        code: 'ERR_POOL_LEASE_BROKEN',
        pool: 'cache',
        cause: CLOSED,
      });
    });

    it('between two commands is broken and says so', async () => {
      const used = pool.use(async (redis) => {
        await kill(redis);
        await redis.get('key');
      });
      await expect(used).rejects.toMatchObject({ code: 'ERR_POOL_LEASE_BROKEN' });
    });

    it('rejects all that was in flight, also without use(), and all that comes later', async () => {
      const lease = await pool.acquire();
      const redis = lease.resource;
      const id = await idOf(redis);
      const closed = once((redis as Redis).stream, 'close');
      const lost = { name: 'LeaseBrokenError', code: 'ERR_POOL_LEASE_BROKEN', pool: 'cache', cause: CLOSED };
      const answered = redis.get('key');
      const inFlight = Promise.allSettled([
        redis.blpop('nothing', 0),
        redis.get('key'),
        redis.multi().get('key').exec(),
      ]);
      const piped = redis.pipeline().get('key').set('key', 1).exec();
      await answered;
      await pool.commands.client('KILL', 'ID', id);
      await expect(inFlight).resolves.toMatchObject([{ reason: lost }, { reason: lost }, { reason: lost }]);
      await expect(piped).resolves.toMatchObject([[lost], [lost]]);
      await expect(redis.get('key')).rejects.toMatchObject(lost);
      await closed;
      await expect(redis.get('key')).rejects.toMatchObject(lost);
      await expect(redis.pipeline().get('key').exec()).resolves.toMatchObject([[lost]]);
    });

    it('in the middle of WATCH and EXEC executes nothing, and says so', async () => {
      const lease = await pool.acquire();
      const redis = lease.resource;
      const id = await idOf(redis);
      await redis.watch('stock');
      await pool.commands.client('KILL', 'ID', id);
      await expect(redis.multi().set('stock', 1).exec()).rejects.toBeInstanceOf(LeaseBrokenError);
      await expect(pool.commands.exists('stock')).resolves.toBe(0);
    });

    it('by the pool says so, too', async () => {
      const lease = await pool.acquire();
      const redis = lease.resource;
      const blocked = redis.blpop('nothing', 0);
      await lease.destroy();
      await expect(blocked).rejects.toBeInstanceOf(LeaseBrokenError);
      await expect(redis.get('key')).rejects.toBeInstanceOf(LeaseBrokenError);
    });

    it('takes its resource away', async () => {
      const lease = await pool.acquire();
      const closed = once(lease.resource, 'end');
      await kill(lease.resource);
      await closed;
      expect(() => lease.resource).toThrow(LeaseBrokenError);
      await lease.release();
      expect(pool.stats()).toMatchObject({ leased: 0, idle: 0 });
    });

    it('is followed by one with a new connection', async () => {
      await pool.use(kill).catch(() => undefined);
      await expect(pool.use((redis) => redis.set('key', 'value'))).resolves.toBe('OK');
    });

    it('while idle is not lent again', async () => {
      const connection = await pool.use(async (redis) => ({
        id: await idOf(redis),
        closed: once((redis as Redis).stream, 'close'),
      }));
      await pool.commands.client('KILL', 'ID', connection.id);
      await connection.closed;
      expect(pool.stats().idle).toBe(0);
      await expect(pool.use(idOf)).resolves.not.toBe(connection.id);
    });
  });
});

describe('createClient', () => {
  it('makes every client, from the options it is given', async () => {
    const names: string[] = [];
    const own = new RedisPool('own', {
      type: 'redis',
      url: server.url,
      createClient: (options) => {
        names.push(options.retryStrategy === null ? 'leased' : 'shared');
        return new Redis({ ...options, connectionName: `mine-${names.length}` });
      },
    });
    await expect(own.commands.client('GETNAME')).resolves.toBe('mine-1');
    await expect(own.use((redis) => redis.client('GETNAME'))).resolves.toBe('mine-2');
    expect(names).toEqual(['shared', 'leased']);
    await own.drain();
  });

  it('that makes a client which would reconnect is an error', async () => {
    const own = new RedisPool('own', {
      type: 'redis',
      url: server.url,
      acquireTimeoutMs: 100,
      createClient: () => new Redis({ port: server.port, lazyConnect: true }),
    });
    await expect(own.acquire()).rejects.toMatchObject({
      reason: 'create-failing',
      cause: { code: 'ERR_POOL_FACTORY', message: expect.stringContaining('createClient()') as unknown },
    });
    await own.drain();
  });
});
