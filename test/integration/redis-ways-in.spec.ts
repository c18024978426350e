import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { useRedisServer } from '../support/redis-server.js';

const server = useRedisServer({ password: 'se/cret' });

let admin: Redis;
let path: string;
const pools: RedisPool[] = [];

beforeEach(async () => {
  admin = new Redis(server.url);
  [, path] = (await admin.config('GET', 'unixsocket')) as [string, string];
  await admin.flushall();
});

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.drain({ timeoutMs: 100 })));
  admin.disconnect();
});

function poolOf(options: Omit<RedisPoolOptions, 'type'>): RedisPool {
  const pool = new RedisPool('cache', { type: 'redis', max: 4, min: 1, ...options });
  pools.push(pool);
  return pool;
}

describe('Over a Unix socket', () => {
  it.each<[string, () => Omit<RedisPoolOptions, 'type'>]>([
    ['by a unix:// url', () => ({ url: `unix://${path}?password=se%2Fcret&db=2` })],
    [
      'by a redis+unix:// url with a user',
      () => ({ url: `redis+unix://${path}?username=default&password=se%2Fcret&db=2` }),
    ],
    ['by options alone', () => ({ connection: { path, password: 'se/cret', db: 2 } })],
    [
      'by credentials()',
      () => ({
        url: `unix://${path}?db=2`,
        credentials: () => Promise.resolve({ password: 'se/cret' }),
      }),
    ],
  ])('shared and leased connections work, %s', async (_how, options) => {
    const pool = poolOf(options());
    await pool.start();
    await expect(pool.commands.set('key', 'value')).resolves.toBe('OK');
    await expect(pool.use((redis) => redis.get('key'))).resolves.toBe('value');
    expect(await pool.commands.client('INFO')).toMatch(/ addr=\S*redis\.sock:0 .* flags=U db=2 /);
    await expect(pool.drain()).resolves.toMatchObject({ clean: true, closed: 2, closeFailures: 0 });
  });

  it('a command that blocks can be aborted, and its connection is kept', async () => {
    const pool = poolOf({ url: `unix://${path}?password=se%2Fcret` });
    const abort = new AbortController();
    const blocked = pool.use((redis) => redis.blpop('jobs', 0), { signal: abort.signal });
    await pool.commands.ping();
    abort.abort(new Error('enough'));
    await expect(blocked).rejects.toThrow('enough');
    await pool.commands.rpush('jobs', 'one');
    await expect(pool.commands.blpop('jobs', 0)).resolves.toEqual(['jobs', 'one']);
    expect(pool.stats()).toMatchObject({ created: 2, destroyed: 0 });
  });
});

describe('By a valkey:// url', () => {
  it('a server is spoken to as by redis://', async () => {
    const pool = poolOf({ url: server.url.replace('redis:', 'valkey:') });
    await pool.start();
    await expect(pool.commands.set('key', 'value')).resolves.toBe('OK');
    await expect(pool.use((redis) => redis.get('key'))).resolves.toBe('value');
  });
});

describe('As a user of the server', () => {
  const password = 'p@ss/w#rd';

  beforeEach(() => admin.acl('SETUSER', 'app', 'reset', 'on', `>${password}`, '~*', '&*', '+@all'));

  it.each<[string, () => Omit<RedisPoolOptions, 'type'>]>([
    ['by url', () => ({ url: `redis://app:${encodeURIComponent(password)}@127.0.0.1:${server.port}` })],
    ['by options', () => ({ connection: { port: server.port, username: 'app', password } })],
    [
      'in RESP2',
      () => ({ connection: { port: server.port, username: 'app', password, protocol: 2 as const } }),
    ],
  ])('shared and leased connections work, %s', async (_how, options) => {
    const pool = poolOf(options());
    await pool.start();
    await expect(pool.commands.acl('WHOAMI')).resolves.toBe('app');
    await expect(pool.use((redis) => redis.acl('WHOAMI'))).resolves.toBe('app');
  });

  describe('who may do next to nothing', () => {
    let pool: RedisPool;
    const warn = jest.spyOn(console, 'warn');

    beforeEach(async () => {
      warn.mockImplementation(() => undefined); // ioredis warns that INFO is forbidden
      await admin.acl('SETUSER', 'app', 'resetkeys', '~app:*', '-@all', '+get', '+set', '+blpop');
      const connection = { port: server.port, username: 'app', password };
      pool = poolOf({ connection, validateAfterIdleMs: 0, keepAliveMs: 10 });
    });

    afterEach(() => void warn.mockReset());

    it('commands work, and what is forbidden says so', async () => {
      await pool.start();
      await expect(pool.commands.set('app:key', 'value')).resolves.toBe('OK');
      await expect(pool.commands.get('app:key')).resolves.toBe('value');
      await expect(pool.commands.get('other:key')).rejects.toThrow(/^NOPERM /);
      await expect(pool.commands.del('app:key')).rejects.toThrow(/^NOPERM /);
    });

    it('leases work, and are kept though nobody may PING', async () => {
      await pool.start();
      for (let times = 0; times < 3; times += 1)
        await expect(pool.use((redis) => redis.get('app:key'))).resolves.toBeNull();
      await pool.use(async (redis) => expect(redis.del('app:key')).rejects.toThrow(/^NOPERM /));
      await expect(pool.use((redis) => redis.get('app:key'))).resolves.toBeNull();
      expect(pool.stats()).toMatchObject({ created: 2, destroyed: 0 });
    });

    it('a ping is answered, though it is forbidden', async () => {
      await expect(pool.ping()).resolves.toBeGreaterThan(0);
    });

    it('a command that blocks can be aborted; its connection is closed, for nobody may unblock it', async () => {
      const abort = new AbortController();
      const blocked = pool.use((redis) => redis.blpop('app:jobs', 0), { signal: abort.signal });
      await pool.commands.get('app:key');
      abort.abort(new Error('enough'));
      await expect(blocked).rejects.toThrow('enough');
      await expect(pool.use((redis) => redis.get('app:key'))).resolves.toBeNull();
    });

    it('it starts without shared connections, and drains cleanly', async () => {
      const connection = { port: server.port, username: 'app', password };
      const bare = poolOf({ connection, shared: 0, min: 0 });
      await bare.start();
      await expect(bare.commands.get('app:key')).resolves.toBeNull();
      await expect(bare.drain()).resolves.toMatchObject({ clean: true, closeFailures: 0 });
    });
  });
});
