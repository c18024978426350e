import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis, type Result } from 'ioredis';
import type { RedisCommands } from '../../lib/redis/commands/redis-commands.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';

const scripts = {
  addTo: { lua: 'return redis.call("INCRBY", KEYS[1], ARGV[1])', numberOfKeys: 1 },
  readAll: { lua: 'return redis.call("MGET", unpack(KEYS))', readOnly: true },
};

declare module 'ioredis' {
  interface RedisCommander<Context> {
    addTo(key: string, by: number): Result<number, Context>;
    readAll(count: number, ...keys: string[]): Result<(string | null)[], Context>;
    readAllBuffer(count: number, ...keys: string[]): Result<(Buffer | null)[], Context>;
  }
}

let server: RedisServer;
let raw: Redis;
let pool: RedisPool;

async function open(options: Omit<RedisPoolOptions, 'type'> = {}): Promise<RedisCommands> {
  pool = new RedisPool('cache', { type: 'redis', url: server.url, connection: { scripts }, ...options });
  await pool.start();
  return pool.commands;
}

beforeEach(async () => {
  server = await startRedisServer();
  raw = new Redis(server.url, { disconnectTimeout: 0 }); // it may be between two tries, when ioredis waits for a socket that is gone
  raw.on('error', () => undefined);
});

afterEach(async () => {
  await pool.drain({ timeoutMs: 100 });
  raw.disconnect();
  await server.stop();
});

describe('Scripts of the connection options', () => {
  it.each([
    ['shared connections', { max: 4, shared: 2 }],
    ['leases', { max: 4, shared: 0 }],
  ])('are methods of commands, pipelines, transactions and connections, over %s', async (_how, limits) => {
    const commands = await open(limits);
    await expect(commands.addTo('count', 5)).resolves.toBe(5);
    await expect(commands.readAll(2, 'count', 'nothing')).resolves.toEqual(['5', null]);
    await expect(commands.readAllBuffer(1, 'count')).resolves.toEqual([Buffer.from('5')]);
    await expect(commands.pipeline().addTo('count', 1).readAllBuffer(1, 'count').exec()).resolves.toEqual([
      [null, 6],
      [null, [Buffer.from('6')]],
    ]);
    await expect(commands.multi().addTo('count', 1).addTo('count', 1).exec()).resolves.toEqual([
      [null, 7],
      [null, 8],
    ]);
    await expect(pool.use((redis) => redis.addTo('count', 2))).resolves.toBe(10);
  });

  it('keep to the key prefix', async () => {
    const commands = await open({ connection: { scripts, keyPrefix: 'app:' } });
    await commands.addTo('count', 5);
    await commands.pipeline().addTo('count', 1).exec();
    await expect(raw.get('app:count')).resolves.toBe('6');
  });

  it('are given to the server again when it has forgotten them', async () => {
    const commands = await open();
    await commands.addTo('count', 1);
    await raw.script('FLUSH');
    await expect(commands.addTo('count', 1)).resolves.toBe(2);
    await raw.script('FLUSH');
    await expect(commands.pipeline().addTo('count', 1).addTo('count', 1).exec()).resolves.toEqual([
      [null, 3],
      [null, 4],
    ]);
    await raw.script('FLUSH');
    await expect(Promise.all([1, 2, 3].map(() => commands.addTo('count', 1)))).resolves.toEqual([5, 6, 7]);
  });

  it('are given to it again though the pool is being drained', async () => {
    const commands = await open();
    await commands.addTo('count', 1);
    await raw.script('FLUSH');
    const inFlight = commands.addTo('count', 1);
    await expect(Promise.all([inFlight, pool.drain()])).resolves.toMatchObject([2, { clean: true }]);
  });

  describe('in a transaction', () => {
    it('are executed with the rest of it, though the server has forgotten them', async () => {
      const commands = await open();
      const executed = (count: number) => [[null, count], [null, 'OK']]; // prettier-ignore
      await expect(commands.multi().addTo('count', 1).set('key', 1).exec()).resolves.toEqual(executed(1));
      await commands.addTo('count', 1);
      await raw.script('FLUSH');
      await expect(commands.multi().addTo('count', 1).set('key', 2).exec()).resolves.toEqual(executed(3));
      await raw.script('FLUSH');
      const nested = commands.pipeline([['multi'], ['addTo', 'count', 1], ['exec'], ['get', 'count']]);
      await expect(nested.exec()).resolves.toMatchObject([{}, {}, [null, [4]], [null, '4']]);
    });

    it('are executed in the next try where the first has come to nothing, and was the first to use them', async () => {
      await open();
      let tries = 0;
      const replies = pool.transaction(['count'], async (redis) => {
        tries += 1;
        if (tries === 1) await raw.incr('count');
        return redis.multi().addTo('count', 10).set('key', tries);
      });
      await expect(replies).resolves.toEqual([[null, 11], [null, 'OK']]); // prettier-ignore
      expect(tries).toBe(2);
    });

    it('are executed as well where the holder of a connection has defined them', async () => {
      await open();
      const replies = pool.use(async (redis) => {
        redis.defineCommand('addTo', { lua: `${scripts.addTo.lua} + 1`, numberOfKeys: 1 });
        await redis.addTo('count', 1);
        await raw.script('FLUSH');
        return redis.multi().addTo('count', 1).exec();
      });
      await expect(replies).resolves.toEqual([[null, 3]]);
    });

    it('are executed as well where it is sent command by command', async () => {
      await open();
      const replies = pool.use(async (redis) => {
        await redis.addTo('count', 1);
        await raw.script('FLUSH');
        await redis.multi({ pipeline: false });
        await redis.addTo('count', 1);
        return redis.exec();
      });
      await expect(replies).resolves.toEqual([[null, 2]]);
    });
  });

  it('work with a server that was started anew, also those that were in flight', async () => {
    const commands = await open();
    await commands.addTo('count', 1);
    server.kill('SIGSTOP');
    const inFlight = commands.addTo('count', 2);
    server.kill('SIGKILL');
    await server.exited;
    server = await startRedisServer({ port: server.port });
    await expect(inFlight).resolves.toBe(2);
    await expect(commands.addTo('count', 2)).resolves.toBe(4);
  });
});
