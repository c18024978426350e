import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis, type ChainableCommander, type RedisOptions } from 'ioredis';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import type { RedisCommands } from '../../lib/redis/commands/redis-commands.js';
import { useRedisServer } from '../support/redis-server.js';

type Call = [what: string, call: (redis: RedisCommands) => unknown];

const server = useRedisServer();

/** What a call comes to: its reply, or its error with all that ioredis hangs on it. */
async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    return { reply: plain(await call()) };
  } catch (error) {
    return { error: plain(error) };
  }
}

/** Errors by what they say; Buffers stay Buffers. */
function plain(value: unknown): unknown {
  if (value instanceof Error) {
    const { name, message, ...rest } = value;
    return { class: value.constructor.name, name, message, ...(plain(rest) as object) };
  }
  if (Array.isArray(value)) return value.map(plain);
  if (Buffer.isBuffer(value) || value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

/** The outcome that a callback hears, and that of the promise beside it. */
const calledBack = (run: (callback: (...heard: unknown[]) => void) => unknown) => async () => {
  const heard = new Promise((resolve) => {
    void Promise.resolve(run((...outcome) => resolve(outcome.map(plain)))).catch(() => undefined);
  });
  return heard;
};

const WORDS = ['zero', 'one', 'two'];

const REPLIES: Call[] = [
  ['a status', (redis) => redis.set('text', 'grüße', 'EX', 60, 'NX')],
  ['a string', (redis) => redis.get('greeting')],
  ['a Buffer', (redis) => redis.getBuffer('greeting')],
  ['nothing', (redis) => redis.get('nothing')],
  ['nothing, as a Buffer', (redis) => redis.getBuffer('nothing')],
  ['a number', (redis) => redis.incrby('count', 41)],
  ['a float', (redis) => redis.incrbyfloat('float', 1.5)],
  ['a score', (redis) => redis.zscore('board', 'one')],
  ['scores', (redis) => redis.zrange('board', '0', '-1', 'WITHSCORES')],
  ['a list', (redis) => redis.lrange('list', 0, -1)],
  ['a list of Buffers', (redis) => redis.lrangeBuffer('list', 0, -1)],
  ['a set', (redis) => redis.smembers('set').then((members) => members.sort())],
  ['a hash as an object', (redis) => redis.hgetall('hash')],
  ['a hash as an object of Buffers', (redis) => redis.hgetallBuffer('hash')],
  ['an empty hash', (redis) => redis.hgetall('nothing')],
  [
    'a hash of which a field has a special name',
    (redis) => redis.hset('odd', '__proto__', 'x', 'constructor', 'y'),
  ],
  ['a cursor', (redis) => redis.scan(0, 'MATCH', 'greet*', 'COUNT', 1_000)],
  ['a scan of a hash', (redis) => redis.hscan('hash', 0)],
  ['streams', (redis) => redis.xrange('stream', '-', '+')],
  ['streams by XREAD', (redis) => redis.xread('COUNT', 1, 'STREAMS', 'stream', '0')],
  ['nested arrays of a script', (redis) => redis.eval('return {1, {"two", {3}}, false}', 0)],
  ['a place', (redis) => redis.geopos('places', 'here', 'nowhere')],
  ['a bitfield', (redis) => redis.call('BITFIELD', 'bits', 'SET', 'u8', 0, 255, 'GET', 'u4', 0)],
  ['a time to live', (redis) => redis.ttl('greeting')],
  ['a type', (redis) => redis.type('board')],
  ['a command by call()', (redis) => redis.call('GET', 'greeting')],
  ['a command by call() with a list', (redis) => redis.call('mget', ['greeting', 'nothing'])],
  ['a command by callBuffer()', (redis) => redis.callBuffer('get', 'greeting')],
  ['hgetall by call() in capitals', (redis) => redis.call('HGETALL', 'hash')],
  [
    'a dump, and what it restores',
    async (redis) => redis.restore('copy', 0, await redis.dumpBuffer('greeting')),
  ],
];

const ARGUMENTS: Call[] = [
  ['hset with an object', (redis) => redis.hset('hash2', { a: 1, b: 'two' })],
  [
    'hset with a Map',
    (redis) =>
      redis.hset(
        'hash2',
        new Map<string, string | number>([
          ['a', 1],
          ['b', 'two'],
        ]),
      ),
  ],
  ['hmset with an object', (redis) => redis.hmset('hash2', { a: 1 })],
  ['mset with an object', (redis) => redis.mset({ a: 1, b: 'two' })],
  ['mset with a Map', (redis) => redis.mset(new Map([['a', '1']]))],
  ['msetnx with an object', (redis) => redis.msetnx({ greeting: 1 })],
  ['mget with a list', (redis) => redis.mget(['greeting', 'nothing'])],
  ['del with a list and more', (redis) => redis.del(['greeting', 'list'])],
  ['a Buffer as key and value', (redis) => redis.set(Buffer.from([0xff]), Buffer.from([0, 1, 0xfe]))],
  ['numbers', (redis) => redis.zadd('board', 7, 'seven', -1.25, 'less')],
  ['null and undefined', (redis) => redis.set('empty', null as unknown as string)],
  ['a key of many bytes', (redis) => redis.set('ключ', 'значение')],
];

const ERRORS: Call[] = [
  ['a wrong type', (redis) => redis.incr('list')],
  ['a wrong type, as a Buffer', (redis) => redis.lrangeBuffer('greeting', 0, -1)],
  ['no number', (redis) => redis.incr('greeting')],
  ['too few arguments', (redis) => redis.call('GET')],
  ['an unknown command', (redis) => redis.call('NO.SUCH.COMMAND', 'argument')],
  ['an error of a script', (redis) => redis.eval('return redis.error_reply("MINE a mistake")', 0)],
  ['an unknown script', (redis) => redis.evalsha('0'.repeat(40), 0)],
];

const CALLBACKS: Call[] = [
  ['a reply', (redis) => calledBack((callback) => redis.get('greeting', callback))()],
  ['nothing', (redis) => calledBack((callback) => redis.get('nothing', callback))()],
  ['a Buffer', (redis) => calledBack((callback) => redis.getBuffer('greeting', callback))()],
  ['an error', (redis) => calledBack((callback) => redis.incr('list', callback))()],
  [
    'a reply of call()',
    (redis) => calledBack((callback) => redis.call('GET', 'greeting', callback as never))(),
  ],
  [
    'the replies of a pipeline',
    (redis) => calledBack((callback) => redis.pipeline().get('greeting').incr('list').exec(callback))(),
  ],
  [
    'the reply of one in a pipeline',
    (redis) => calledBack((callback) => redis.pipeline().get('greeting', callback).exec())(),
  ],
  [
    'an EXEC that fails',
    (redis) => calledBack((callback) => redis.multi().set('a', 1).call('GET').exec(callback))(),
  ],
];

const every = (chain: ChainableCommander) =>
  chain.set('a', 1).incr('a').hgetall('hash').hset('hash', { c: 3 }).getBuffer('greeting').call('ECHO', 'hi');

const CHAINS: Call[] = [
  ['a pipeline', (redis) => every(redis.pipeline()).exec()],
  ['a transaction', (redis) => every(redis.multi()).exec()],
  ['an empty pipeline', (redis) => redis.pipeline().exec()],
  ['an empty transaction', (redis) => redis.multi().exec()],
  [
    'a pipeline of which some fail',
    (redis) => redis.pipeline().get('list').get('greeting').incr('list').exec(),
  ],
  ['a transaction of which some fail', (redis) => redis.multi().get('list').get('greeting').exec()],
  ['a transaction with a command that is refused', (redis) => redis.multi().set('a', 1).call('GET').exec()],
  [
    'a pipeline made from a list',
    (redis) =>
      redis
        .pipeline([
          ['set', 'a', '1'],
          ['get', 'a'],
        ])
        .exec(),
  ],
  [
    'a transaction made from a list',
    (redis) =>
      redis
        .multi([
          ['set', 'a', '1'],
          ['get', 'a'],
        ])
        .exec(),
  ],
  [
    'a transaction inside a pipeline',
    (redis) => redis.pipeline([['multi'], ['incr', 'a'], ['exec'], ['get', 'a']]).exec(),
  ],
  ['the length of a pipeline', (redis) => redis.pipeline().get('a').get('b').length],
  [
    'a pipeline with Buffers',
    (redis) =>
      redis
        .pipeline()
        .set('raw', Buffer.from([0xff]))
        .getBuffer('raw')
        .exec(),
  ],
];

const TABLE: [title: string, calls: Call[]][] = [
  ['replies', REPLIES],
  ['arguments', ARGUMENTS],
  ['errors', ERRORS],
  ['callbacks', CALLBACKS],
  ['chains', CHAINS],
];

describe.each<[string, RedisOptions, object]>([
  ['over shared connections', {}, { max: 4, shared: 2 }],
  ['over leases', {}, { max: 4, shared: 0 }],
  ['with a key prefix', { keyPrefix: 'app:' }, {}],
  ['with numbers as strings', { stringNumbers: true }, {}],
  ['over RESP2', { protocol: 2 }, {}],
  ['with friendly stacks', { showFriendlyErrorStack: true }, {}],
])('commands %s', (_how, connection, limits) => {
  let raw: Redis;
  let pool: RedisPool;

  beforeAll(() => {
    raw = new Redis(server.url, connection);
    pool = new RedisPool('cache', { type: 'redis', url: server.url, connection, ...limits });
  });

  beforeEach(fill);

  afterAll(async () => {
    await Promise.all([pool.drain(), raw.quit()]);
  });

  async function fill(): Promise<void> {
    await raw.flushall();
    await raw.set('greeting', 'grüße');
    await raw.rpush('list', ...WORDS);
    await raw.sadd('set', ...WORDS);
    await raw.zadd('board', 0, 'zero', 1.5, 'one');
    await raw.hset('hash', { a: 1, b: 'two' });
    await raw.xadd('stream', '1-1', 'field', 'value');
    await raw.geoadd('places', 13.4, 52.5, 'here');
  }

  describe.each(TABLE)('do as ioredis does with %s:', (_title, calls) => {
    it.each(calls)('%s', async (_what, call) => {
      const expected = await outcomeOf(() => call(raw));
      const left = await everything();
      await fill();
      await expect(outcomeOf(() => call(pool.commands))).resolves.toEqual(expected);
      await expect(everything()).resolves.toEqual(left);
    });
  });

  /** Whatever the server keeps. */
  async function everything(): Promise<unknown> {
    const reader = new Redis(server.url);
    const keys = (await reader.keysBuffer('*')).sort((one, other) => Buffer.compare(one, other));
    const values = await Promise.all(keys.map((key) => reader.dumpBuffer(key)));
    await reader.quit();
    return keys.map((key, at) => [key.toString('latin1'), values[at]?.toString('latin1')]);
  }
});

describe('An error with a friendly stack', () => {
  it('leads to the caller, through shared connections as through ioredis', async () => {
    const connection = { showFriendlyErrorStack: true };
    const pool = new RedisPool('cache', { type: 'redis', url: server.url, connection });
    await pool.start();
    async function theCallerOfMine() {
      await pool.commands.set('text', 'no number');
      await pool.commands.incr('text');
    }
    async function anotherCaller() {
      const [[error] = []] = (await pool.commands.pipeline().incr('text').exec()) ?? [];
      throw error!;
    }
    const stackOf = (run: () => Promise<void>) => run().catch((error: Error) => error.stack);
    await expect(stackOf(theCallerOfMine)).resolves.toContain('theCallerOfMine');
    await expect(stackOf(anotherCaller)).resolves.toContain('anotherCaller');
    await pool.drain();
  });
});
