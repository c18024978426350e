import { describe, expect, it, jest } from '@jest/globals';
import type { Redis, RedisOptions } from 'ioredis';
import { PoolOptionsError } from '../core/pool.errors.js';
import { redisOptionProblems, resolveRedisPoolOptions, type RedisPoolOptions } from './redis.options.js';

const resolve = (options: Omit<RedisPoolOptions, 'type'> = {}) =>
  resolveRedisPoolOptions('cache', { type: 'redis', ...options });

/** The options that the clients of a pool are made with. */
function clientOptions(options: Omit<RedisPoolOptions, 'type' | 'createClient'>) {
  const createClient = jest.fn((given: RedisOptions) => ({ options: given }) as Redis);
  const { makeShared, makeLeased } = resolve({ ...options, createClient });
  return { shared: (makeShared() as Redis).options, leased: (makeLeased() as Redis).options };
}

describe('The options of a Redis pool', () => {
  it('may all be left out', () => {
    const { limits, shared, leases } = resolve();
    expect(limits).toEqual({ min: 0, max: 10 });
    expect(shared).toBe(1);
    expect(leases).toMatchObject({ min: 0, max: 9, acquireTimeoutMs: 5_000 });
    expect(resolve().commandTimeoutMs).toBe(5_000);
  });

  it('are reported with every problem at once', () => {
    const problems = redisOptionProblems({
      type: 'redis',
      url: 'http://localhost',
      max: 0,
      shared: -1,
      connection: { lazyConnect: true, monitor: true },
      createClient: 'no',
      acquireTimeout: 5,
    });
    expect(problems).toEqual([
      expect.stringMatching(/^url must be a URL that begins with redis:\/\/ .*, got a string$/),
      'max must be an integer >= 1, got 0',
      'shared must be an integer >= 0, got -1',
      'createClient must be a function (options, cluster?) => Redis | Cluster, got a string',
      'unknown option "acquireTimeout"; did you mean "acquireTimeoutMs"?',
      expect.stringContaining('connection.lazyConnect must be left out: '),
      expect.stringContaining('connection.monitor must be left out: '),
    ]);
  });

  it.each<[string, RedisOptions]>([
    ['enableOfflineQueue', { enableOfflineQueue: false }],
    ['enableAutoPipelining', { enableAutoPipelining: true }],
    ['autoResendUnfulfilledCommands', { autoResendUnfulfilledCommands: false }],
    ['replyMapping', { replyMapping: 'resp3' }],
    ['sentinels', { sentinels: [], name: 'main' }],
    ['name', { sentinels: [{ host: 'localhost', port: 26379 }] }],
  ])('refuse connection.%s where it would break a promise', (key, connection) => {
    expect(redisOptionProblems({ type: 'redis', connection })).toEqual([
      expect.stringMatching(`^connection\\.${key} must be `),
    ]);
  });

  it('let the same options of ioredis pass with a value that breaks nothing', () => {
    const connection = {
      enableOfflineQueue: true,
      monitor: false,
      sentinels: undefined,
      lazyConnect: undefined,
    };
    expect(redisOptionProblems({ type: 'redis', connection })).toEqual([]);
  });

  it.each<[string, Partial<RedisPoolOptions>]>([
    ['a password in url', { url: 'redis://:hunter2@localhost' }],
    ['a user in url', { url: 'unix:///run/redis.sock?username=hunter2' }],
    ['a password in connection', { connection: { password: 'hunter2' } }],
    ['a user in connection', { connection: { username: 'hunter2' } }],
  ])('refuse credentials beside %s', (_what, options) => {
    const credentials = () => Promise.resolve({ password: 'hunter3' });
    expect(redisOptionProblems({ type: 'redis', credentials, ...options })).toEqual([
      'credentials takes the place of a user and password in url and connection; leave those out',
    ]);
  });

  it('let credentials pass beside a url without user and password', () => {
    const credentials = () => Promise.resolve({ password: 'hunter3' });
    const connection = { username: undefined, password: undefined };
    expect(redisOptionProblems({ type: 'redis', url: 'redis://localhost', connection, credentials })).toEqual(
      [],
    );
    expect(redisOptionProblems({ type: 'redis', credentials: 'hunter2' })).toEqual([
      'credentials must be a function () => Promise<{ username?: string; password: string }>, got a string',
    ]);
  });

  it('throw one error that names the pool, and never the url or the password', () => {
    const url = 'redis://app:hunter2@localhost/cache';
    const connection = { password: 'hunter2', lazyConnect: true };
    expect(() => resolve({ url, connection })).toThrow(PoolOptionsError);
    expect(() => resolve({ url, connection })).toThrow(/^\[pool "cache"\] 2 problems in the options/);
    expect(() => resolve({ url, connection })).not.toThrow(/hunter2|localhost/);
  });

  describe('max', () => {
    it('counts the shared connections', () => {
      expect(resolve({ max: 8, shared: 3 }).leases.max).toBe(5);
    });

    it('of 1 leaves no room for a shared connection, so there is none', () => {
      expect(resolve({ max: 1 })).toMatchObject({ shared: 0, leases: { max: 1 } });
    });

    it('must leave room for leases', () => {
      const problem = 'shared (4) must be less than max (4), or nothing is left for leases';
      expect(redisOptionProblems({ type: 'redis', max: 4, shared: 4 })).toEqual([problem]);
      expect(redisOptionProblems({ type: 'redis', max: 1, shared: 1 })).toHaveLength(1);
    });

    it('may equal min: the shared connections take their part of both', () => {
      expect(resolve({ min: 4, max: 4 })).toMatchObject({
        limits: { min: 4, max: 4 },
        leases: { min: 3, max: 3 },
      });
    });

    it('must not be less than min', () => {
      expect(redisOptionProblems({ type: 'redis', min: 5, max: 4 })).toEqual([
        'min (5) must not be greater than max (4)',
      ]);
    });
  });

  describe('connection', () => {
    it('is laid over the url', () => {
      const { shared } = clientOptions({
        url: 'redis://app:secret@localhost:6379/1',
        connection: { port: 6380, password: undefined, connectionName: 'app' },
      });
      expect(shared).toMatchObject({
        host: 'localhost',
        port: 6380,
        db: 1,
        username: 'app',
        password: 'secret',
        connectionName: 'app',
      });
    });

    it('decides how the shared connections reconnect, and not whether the leased ones do', () => {
      const retryStrategy = () => 5;
      const reconnectOnError = () => true;
      const { shared, leased } = clientOptions({
        connection: { retryStrategy, reconnectOnError, maxRetriesPerRequest: 3 },
      });
      expect(shared).toMatchObject({ retryStrategy, reconnectOnError, maxRetriesPerRequest: 3 });
      expect(leased).toMatchObject({
        retryStrategy: null,
        reconnectOnError: null,
        autoResubscribe: false,
        autoResendUnfulfilledCommands: false,
        enableOfflineQueue: false,
      });
    });

    it('by default leaves it to commandTimeoutMs how long a command in flight may take, however often it is sent', () => {
      expect(clientOptions({}).shared.maxRetriesPerRequest).toBeNull();
      expect(clientOptions({ commandTimeoutMs: 0 }).shared.maxRetriesPerRequest).toBe(8);
    });

    it('by default lets shared connections try again at least every second', () => {
      const { retryStrategy } = clientOptions({}).shared;
      for (const times of [1, 2, 5, 20, 1_000]) {
        expect(retryStrategy?.(times)).toBeGreaterThanOrEqual(25);
        expect(retryStrategy?.(times)).toBeLessThanOrEqual(1_000);
      }
    });

    it('is opened by the pool and by nobody else', () => {
      const { shared, leased } = clientOptions({});
      expect([shared.lazyConnect, leased.lazyConnect]).toEqual([true, true]);
    });
  });
});
