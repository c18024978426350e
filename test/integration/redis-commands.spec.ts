import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { eventually } from '../support/eventually.js';
import { useRedisServer } from '../support/redis-server.js';

const server = useRedisServer();

describe.each([
  ['over shared connections', { max: 6, shared: 2 }],
  ['over leases alone', { max: 4, shared: 0 }],
])('commands %s', (_how, limits) => {
  let pool: RedisPool;
  let raw: Redis;

  beforeAll(() => {
    const connection = {
      scripts: { addTo: { lua: 'return redis.call("incrby", KEYS[1], ARGV[1])', numberOfKeys: 1 } },
    };
    pool = new RedisPool('cache', { type: 'redis', url: server.url, connection, ...limits });
    raw = new Redis(server.url);
  });

  beforeEach(() => raw.flushall());

  afterAll(async () => {
    await Promise.all([pool.drain(), raw.quit()]);
  });

  it('give the replies of ioredis, whatever their type', async () => {
    const { commands } = pool;
    await expect(commands.set('text', 'grüße', 'EX', 60)).resolves.toBe('OK');
    await expect(commands.get('text')).resolves.toBe('grüße');
    await expect(commands.getBuffer('text')).resolves.toEqual(Buffer.from('grüße'));
    await expect(commands.get('nothing')).resolves.toBeNull();
    await expect(commands.incr('count')).resolves.toBe(1);
    await expect(commands.hset('hash', { a: 1, b: 2 })).resolves.toBe(2);
    await expect(commands.hgetall('hash')).resolves.toEqual({ a: '1', b: '2' });
    await expect(commands.mset(new Map([['x', '1']]))).resolves.toBe('OK');
    await expect(commands.mget(['x', 'y'])).resolves.toEqual(['1', null]);
    await expect(commands.zadd('set', 1.5, 'one')).resolves.toBe(1);
    await expect(commands.zscore('set', 'one')).resolves.toBe('1.5');
    await expect(commands.scan(0, 'MATCH', 'cou*')).resolves.toEqual(['0', ['count']]);
    await expect(commands.call('ECHO', 'hi')).resolves.toBe('hi');
    await expect(commands.eval('return {1, "two"}', 0)).resolves.toEqual([1, 'two']);
    await expect(commands.xadd('stream', '1-1', 'field', 'value')).resolves.toBe('1-1');
    await expect(commands.xread('STREAMS', 'stream', '0')).resolves.toEqual([
      ['stream', [['1-1', ['field', 'value']]]],
    ]);
  });

  it('give the errors of ioredis', async () => {
    await pool.commands.set('text', 'no number');
    await expect(pool.commands.incr('text')).rejects.toMatchObject({
      name: 'ReplyError',
      message: expect.stringContaining('ERR value is not an integer') as unknown,
      command: { name: 'incr', args: ['text'] },
    });
    expect(pool.stats().leased).toBe(0);
  });

  it('run the scripts of the connection options', async () => {
    const scripts = pool.commands as unknown as { addTo(key: string, by: number): Promise<number> };
    await expect(scripts.addTo('count', 5)).resolves.toBe(5);
    await expect(scripts.addTo('count', 2)).resolves.toBe(7);
  });

  it('call back', async () => {
    await pool.commands.set('key', 'value');
    const outcome = new Promise((resolve) => {
      void pool.commands.get('key', (error, value) => resolve([error, value]));
    });
    await expect(outcome).resolves.toEqual([null, 'value']);
  });

  it('collect pipelines and transactions', async () => {
    const { commands } = pool;
    await expect(commands.pipeline().set('a', 1).incr('a').get('a').exec()).resolves.toEqual([
      [null, 'OK'],
      [null, 2],
      [null, '2'],
    ]);
    await expect(commands.multi().incr('a').hgetall('a').get('a').exec()).resolves.toMatchObject([
      [null, 3],
      [{ message: expect.stringContaining('WRONGTYPE') as unknown }],
      [null, '3'],
    ]);
    await expect(
      commands
        .multi([
          ['set', 'b', '1'],
          ['get', 'b'],
        ])
        .exec(),
    ).resolves.toEqual([
      [null, 'OK'],
      [null, '1'],
    ]);
    await expect(
      commands.pipeline([['multi'], ['incr', 'b'], ['exec'], ['get', 'b']]).exec(),
    ).resolves.toEqual([
      [null, 'OK'],
      [null, 'QUEUED'],
      [null, [2]],
      [null, '2'],
    ]);
    await expect(commands.pipeline().exec()).resolves.toEqual([]);
    const called = new Promise((resolve) => {
      void commands
        .pipeline()
        .get('b')
        .exec((error, replies) => resolve([error, replies]));
    });
    await expect(called).resolves.toEqual([null, [[null, '2']]]);
  });

  it('answer each command of a pipeline in its own way', async () => {
    const batch = [
      ['set', 'text', 'grüße'],
      ['getBuffer', 'text'],
      ['incr', 'text'],
      ['addTo', 'count', 5],
      ['addToBuffer', 'count', 2],
      ['callBuffer', 'ECHO', 'hi'],
    ];
    const pipeline = pool.commands.pipeline(batch);
    expect(pipeline.length).toBe(batch.length);
    const replies = await pipeline.exec();
    expect(replies).toMatchObject([
      [null, 'OK'],
      [null, Buffer.from('grüße')],
      [{ message: expect.stringContaining('not an integer') as unknown, command: { name: 'incr' } }],
      [null, 5],
      [null, 7],
      [null, Buffer.from('hi')],
    ]);
    await expect(pipeline.exec()).resolves.toBe(replies);
    await expect(raw.get('count')).resolves.toBe('7');
  });

  it('keep pipelines apart that are collected at the same time', async () => {
    const numbers = Array.from({ length: 200 }, (_, at) => at);
    const pipelines = numbers.map((number) => pool.commands.pipeline().set(`number-${number}`, number));
    for (const [number, pipeline] of pipelines.entries()) pipeline.get(`number-${number}`);
    const replies = await Promise.all(pipelines.map((pipeline) => pipeline.exec()));
    expect(replies).toEqual(
      numbers.map((number) => [
        [null, 'OK'],
        [null, String(number)],
      ]),
    );
  });

  it('run a pipeline that was made long before', async () => {
    const pipeline = pool.commands.pipeline().set('late', 'yes');
    await pool.commands.get('late');
    await expect(pipeline.exec()).resolves.toEqual([[null, 'OK']]);
  });

  it('of many callers at once are each answered with their own reply', async () => {
    const keys = Array.from({ length: 500 }, (_, at) => `key-${at}`);
    await Promise.all(keys.map((key) => pool.commands.set(key, `value of ${key}`)));
    const values = await Promise.all(keys.map((key) => pool.commands.get(key)));
    expect(values).toEqual(keys.map((key) => `value of ${key}`));
    const { size, max, leased } = pool.stats();
    expect(size).toBeLessThanOrEqual(max);
    expect(leased).toBe(0);
  });

  it('that block hold nobody up, and come back with what they waited for', async () => {
    const blocked = [
      pool.commands.blpop('jobs', 0),
      pool.commands.call('BRPOP', 'other-jobs', 0),
      pool.commands.pipeline().blpop('third-jobs', 0).get('key').exec(),
    ];
    const stream = limits.shared > 0 ? pool.commands.xread('BLOCK', 0, 'STREAMS', 'events', '$') : undefined;
    await raw.set('key', 'value');
    if (limits.shared > 0) await leasesAre(limits.max - limits.shared);
    await expect(pool.commands.get('key')).resolves.toBe('value');
    await raw.rpush('jobs', 'job');
    await raw.rpush('other-jobs', 'other job');
    await raw.rpush('third-jobs', 'third job');
    await expect(Promise.all(blocked)).resolves.toEqual([
      ['jobs', 'job'],
      ['other-jobs', 'other job'],
      [
        [null, ['third-jobs', 'third job']],
        [null, 'value'],
      ],
    ]);
    if (stream !== undefined) {
      await raw.xadd('events', '5-5', 'field', 'value');
      await expect(stream).resolves.toEqual([['events', [['5-5', ['field', 'value']]]]]);
    }
    expect(pool.stats().leased).toBe(0);
  });

  it('that block may do so for longer than a timer can count', async () => {
    const job = pool.commands.blpop('jobs', 30 * 24 * 3_600);
    job.catch(() => undefined); // it is looked at below
    await eventually('it blocks', async () => (await raw.info('clients')).includes('blocked_clients:1\r'));
    await raw.rpush('jobs', 'job');
    await expect(job).resolves.toEqual(['jobs', 'job']);
  });

  it('that would change a connection are refused, and change none', async () => {
    const { commands } = pool;
    const refused = { code: 'ERR_POOL_COMMAND_REFUSED' };
    await expect(commands.select(1)).rejects.toMatchObject(refused);
    await expect(commands.call('SELECT', 1)).rejects.toMatchObject(refused);
    await expect(
      commands.pipeline().select(1).set('key', 'in another database').exec(),
    ).rejects.toMatchObject(refused);
    const name = ['SELECT', 1] as unknown as string; // which ioredis would take for a name
    await expect(commands.call(name)).rejects.toThrow("unknown command 'SELECT,1'");
    await commands.set('key', 'value');
    await expect(raw.get('key')).resolves.toBe('value');
  });

  it('are answered by a server whose answer is PONG', async () => {
    await expect(pool.ping()).resolves.toBeGreaterThan(0);
    await expect(pool.ping({ timeoutMs: 0 })).resolves.toBeGreaterThan(0);
    await expect(pool.ping({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'ERR_POOL_OPTIONS' });
    const { signal } = new AbortController();
    await expect(pool.ping({ signal })).resolves.toBeGreaterThan(0);
    await expect(pool.ping({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });

  it('wait while the pool is suspended', async () => {
    pool.suspend();
    const waiting = pool.commands.set('key', 'value');
    await expect(raw.get('key')).resolves.toBeNull();
    expect(pool.stats().waiting).toBe(1);
    pool.resume();
    await expect(waiting).resolves.toBe('OK');
  });

  /** Resolves when so many connections block. */
  async function leasesAre(count: number): Promise<void> {
    while (!(await raw.info('clients')).includes(`blocked_clients:${count}`));
  }
});

describe('The statistics', () => {
  it('count the shared connections as part of size and max', async () => {
    const pool = new RedisPool('cache', { type: 'redis', url: server.url, max: 6, shared: 2, min: 1 });
    expect(pool.stats()).toMatchObject({ size: 0, shared: 0, max: 6, min: 1 });
    await pool.start();
    expect(pool.stats()).toMatchObject({ size: 3, shared: 2, idle: 1, created: 3, max: 6, min: 1 });
    const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()));
    expect(pool.stats()).toMatchObject({ size: 6, shared: 2, leased: 4, idle: 0 });
    await expect(pool.acquire({ timeoutMs: 20 })).rejects.toMatchObject({ reason: 'leased' });
    pool.resize({ max: 4 });
    await Promise.all(leases.map((lease) => lease.release()));
    expect(pool.stats()).toMatchObject({ size: 4, shared: 2, idle: 2, max: 4 });
    expect(() => pool.resize({ max: 2 })).toThrow('shared (2) must be less than max (2)');
    expect(() => pool.resize({ min: 5 })).toThrow('min (5) must not be greater than max (4)');
    await pool.drain();
    expect(pool.stats()).toMatchObject({ size: 0, shared: 0 });
  });
});
