import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import type { PoolEvent } from '../../lib/core/pool.events.js';
import { Attendant } from '../../lib/redis/opening/attendant.js';
import type { RedisCredentials } from '../../lib/redis/opening/credentials.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { eventually } from '../support/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { useRedisServer } from '../support/redis-server.js';

const server = useRedisServer();

const ANN: RedisCredentials = { username: 'ann', password: 'of-ann' };
const BEN: RedisCredentials = { username: 'ben', password: 'of-ben' };

let admin: Redis;
let answer: unknown;
const source = jest.fn(() => Promise.resolve(answer as RedisCredentials));
const pools: RedisPool[] = [];
const warnings: string[] = [];

beforeEach(async () => {
  admin = new Redis(server.url);
  for (const { username, password } of [ANN, BEN])
    await admin.acl('SETUSER', username!, 'on', 'resetpass', `>${password}`, '~*', '&*', '+@all');
  answer = ANN;
  source.mockReset().mockImplementation(() => Promise.resolve(answer as RedisCredentials));
});

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.drain({ timeoutMs: 100 })));
  warnings.length = 0;
  admin.disconnect();
});

function poolOf(options: Partial<RedisPoolOptions> = {}): RedisPool {
  const pool = new RedisPool('cache', {
    type: 'redis',
    url: `redis://127.0.0.1:${server.port}`,
    credentials: source,
    ...options,
  });
  pool.events$.subscribe((event: PoolEvent) => {
    if (event.type === 'warned') warnings.push(event.message);
  });
  pools.push(pool);
  return pool;
}

/** Who is connected beside the admin: the id of each connection, and its user. */
async function connections(): Promise<Map<string, string>> {
  const lines = ((await admin.client('LIST')) as string).trim().split('\n');
  const found = lines.map((line) => / ?id=(\d+) .* user=(\S+)/.exec(line)!.slice(1) as [string, string]);
  return new Map(found.filter(([, user]) => user !== 'default'));
}

const users = async (): Promise<string[]> => [...(await connections()).values()].sort();

const idOfShared = async (pool: RedisPool): Promise<string> => String(await pool.commands.client('ID'));

describe('credentials() decides who a connection is', () => {
  it('for shared connections and leases', async () => {
    const pool = poolOf({ min: 2 });
    await pool.start();
    await expect(users()).resolves.toEqual(['ann', 'ann', 'ann']);
    await expect(pool.commands.acl('WHOAMI')).resolves.toBe('ann');
    await expect(pool.use((redis) => redis.acl('WHOAMI'))).resolves.toBe('ann');
  });

  it('as the user "default" without a name, and in RESP2', async () => {
    await admin.acl('SETUSER', 'default', 'resetpass', '>of-default');
    answer = { password: 'of-default' };
    await expect(poolOf().commands.acl('WHOAMI')).resolves.toBe('default');
    await expect(poolOf({ connection: { protocol: 2 } }).commands.acl('WHOAMI')).resolves.toBe('default');
    await admin.acl('SETUSER', 'default', 'resetpass', 'nopass');
  });

  it('also for the duplicate of one', async () => {
    const who = await poolOf().use(async (redis) => {
      const duplicate = (redis as Redis).duplicate({ enableOfflineQueue: true });
      return duplicate.acl('WHOAMI').finally(() => duplicate.disconnect());
    });
    expect(who).toBe('ann');
  });

  it('asked for each new connection, and once for those that are opened together', async () => {
    const pool = poolOf();
    let release!: (credentials: RedisCredentials) => void;
    source.mockReturnValueOnce(new Promise((resolve) => (release = resolve)));
    const used = Promise.all([1, 2, 3, 4].map(() => pool.use((redis) => redis.acl('WHOAMI'))));
    await eventually('somebody asks', () => source.mock.calls.length === 1);
    await sleep(50);
    release(ANN);
    await expect(used).resolves.toEqual(['ann', 'ann', 'ann', 'ann']);
    expect(source).toHaveBeenCalledTimes(1);
    await pool.commands.ping();
    expect(source).toHaveBeenCalledTimes(2);
  });

  it('asked again when a shared connection reconnects, which ioredis does by itself', async () => {
    const pool = poolOf();
    const id = await idOfShared(pool);
    answer = { ...ANN, password: 'newer' };
    await admin.acl('SETUSER', 'ann', 'resetpass', '>newer');
    await admin.client('KILL', 'ID', id);
    await expect(pool.commands.acl('WHOAMI')).resolves.toBe('ann');
    expect(source).toHaveBeenCalledTimes(2);
  });

  it('tried again while it fails, and commands wait for it', async () => {
    const pool = poolOf();
    const id = await idOfShared(pool);
    source.mockRejectedValueOnce(new Error('vault is sealed'));
    source.mockRejectedValueOnce(new Error('vault is sealed'));
    await admin.client('KILL', 'ID', id);
    await expect(pool.commands.set('key', 'value')).resolves.toBe('OK');
    expect(source).toHaveBeenCalledTimes(4);
  });
});

describe('credentials() decides who the connections of a cluster are', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await RedisCluster.start();
    for (const node of cluster.nodes) {
      await node.call('ACL', 'SETUSER', 'ann', 'on', '>of-ann', '~*', '&*', '+@all');
      await node.call('ACL', 'SETUSER', 'ben', 'on', '>of-ben', '~*', '&*', '+@all');
      await node.call('ACL', 'SETUSER', 'default', 'off');
    }
  }, 60_000);

  afterAll(() => cluster.stop());

  it('for each node, and anew when the answer has changed', async () => {
    const clients: Cluster[] = [];
    const attendant = new Attendant({
      pool: 'cache',
      connection: {},
      credentials: source,
      limits: { createTimeoutMs: 5_000, maxLifetimeMs: 0 },
      max: () => 10,
      shared: () => clients,
      replaceLeased: () => undefined,
      warn: (message) => warnings.push(message),
    });
    const make = attendant.attended(
      () =>
        new Cluster(cluster.addresses, {
          lazyConnect: true,
          clusterRetryStrategy: () => null,
          redisOptions: {},
        }),
    );
    const client = make();
    clients.push(client);
    await client.connect();
    await Promise.all('abcdef'.split('').map((key) => client.set(key, key)));
    const masters = client.nodes('master');
    const who = () => Promise.all(masters.map((node) => node.acl('WHOAMI')));
    await expect(who()).resolves.toEqual(['ann', 'ann', 'ann']);
    answer = BEN;
    attendant.renew();
    await eventually('all are ben', async () => (await who()).join() === 'ben,ben,ben');
    attendant.end();
    client.disconnect();
  });
});

describe('When the answer of credentials() changes', () => {
  it('leases are replaced when they come back, and shared connections stay and authenticate anew', async () => {
    const pool = poolOf({ max: 4 });
    const id = await idOfShared(pool);
    const held = await pool.acquire();
    await pool.use((redis) => redis.ping()); // idle now
    answer = BEN;
    await pool.use(async (redis) => {
      const lease = await pool.acquire({ timeoutMs: 5_000 });
      await expect(lease.resource.acl('WHOAMI')).resolves.toBe('ben');
      await lease.release();
      await redis.ping();
    });
    await expect(held.resource.acl('WHOAMI')).resolves.toBe('ann');
    await held.release();
    await eventually('all are ben', async () => (await users()).every((user) => user === 'ben'));
    await expect(idOfShared(pool)).resolves.toBe(id);
    expect(warnings).toEqual([]);
  });

  it('no command on a shared connection is lost or late', async () => {
    const pool = poolOf({ shared: 2 });
    await pool.start();
    const working = new AbortController();
    let count = 0;
    const work = async () => {
      for (; !working.signal.aborted; count += 1)
        await expect(pool.commands.echo(`${count}`)).resolves.toBe(`${count}`);
    };
    const workers = [work()];
    answer = BEN;
    pool.renew();
    await eventually('both are ben', async () => (await users()).join() === 'ben,ben');
    working.abort();
    await Promise.all(workers);
    expect(count).toBeGreaterThan(1);
  });

  it('and renew() is called, everybody asks at once', async () => {
    const pool = poolOf({ min: 2 });
    await pool.start();
    const before = await connections();
    const id = await idOfShared(pool);
    answer = BEN;
    pool.renew();
    await eventually('all are ben', async () => (await users()).join() === 'ben,ben,ben');
    const after = await connections();
    expect([...after.keys()].filter((each) => before.has(each))).toEqual([id]);
  });

  it('the shared connections find out by themselves, in maxLifetimeMs', async () => {
    const pool = poolOf({ maxLifetimeMs: 100 });
    const id = await idOfShared(pool);
    answer = BEN;
    await eventually('it is ben', async () => (await users()).join() === 'ben');
    await expect(idOfShared(pool)).resolves.toBe(id);
  });

  it('and the server does not accept it, shared connections go on as they are, and a warning says so', async () => {
    const pool = poolOf();
    const id = await idOfShared(pool);
    answer = { ...BEN, password: 'not-of-ben' };
    pool.renew();
    await eventually('a warning comes', () => warnings.length > 0);
    expect(warnings).toEqual([expect.stringMatching(/goes on with its old credentials.* WRONGPASS/)]);
    await expect(pool.commands.acl('WHOAMI')).resolves.toBe('ann');
    await expect(idOfShared(pool)).resolves.toBe(id);
    expect(warnings[0]).not.toContain('of-ben');
  });

  it('and cannot be had, shared connections go on as they are, and a warning says so', async () => {
    const pool = poolOf();
    await pool.commands.ping();
    source.mockRejectedValueOnce(new Error('vault is sealed'));
    pool.renew();
    await eventually('a warning comes', () => warnings.length > 0);
    expect(warnings).toEqual([
      expect.stringMatching(/go on with .*: credentials\(\) failed: vault is sealed$/),
    ]);
    await expect(pool.commands.acl('WHOAMI')).resolves.toBe('ann');
  });
});

describe('When credentials() gives none', () => {
  const limits: [string, Partial<RedisPoolOptions>][] = [
    ['shared connections', { shared: 1 }],
    ['leases', { shared: 0, min: 1 }],
    ['neither', { shared: 0 }],
  ];
  const ways: [string, () => unknown, RegExp][] = [
    [
      'it rejects',
      () => Promise.reject(new Error('vault is sealed')),
      /credentials\(\) failed: vault is sealed$/,
    ],
    [
      'it throws',
      () => {
        throw new Error('vault is sealed');
      },
      /credentials\(\) failed: vault is sealed$/,
    ],
    ['it is silent', () => new Promise(() => undefined), /credentials\(\) did not answer within 100 ms$/],
    ['it has no password', () => ({ username: 'ann', token: 'of-ann' }), /credentials\(\) must resolve with/],
    ['its password is empty', () => ({ username: 'ann', password: '' }), /credentials\(\) must resolve with/],
    ['it gives nothing', () => undefined, /credentials\(\) must resolve with/],
  ];
  describe.each(ways)('because %s', (_what, answers, cause) => {
    it.each(limits)(
      'start() says so, opening %s, and a drain does not wait for it',
      async (_how, options) => {
        source.mockImplementation(answers as typeof source);
        const pool = poolOf({ ...options, createTimeoutMs: 200 });
        const started = pool.start({ timeoutMs: 300 });
        await expect(started).rejects.toMatchObject({
          code: 'ERR_POOL_UNAVAILABLE',
          message: expect.stringMatching(cause) as unknown,
          cause: { message: expect.stringMatching(cause) as unknown },
        });
        await expect(started).rejects.not.toThrow(/of-ann/);
        await expect(pool.drain({ timeoutMs: 100 })).resolves.toMatchObject({ closeFailures: 0 });
        expect(pool.stats().size).toBe(0);
      },
    );
  });

  it.each(limits)('yet, start() says so, opening %s, and a drain gives it up', async (_how, options) => {
    source.mockImplementation(() => new Promise(() => undefined));
    const pool = poolOf({ ...options, destroyTimeoutMs: 200 });
    await expect(pool.start({ timeoutMs: 50 })).rejects.toThrow('credentials() has not answered yet');
    await expect(pool.drain({ timeoutMs: 100 })).resolves.toMatchObject({ closeFailures: 0 });
    expect(pool.stats().size).toBe(0);
  });
});
