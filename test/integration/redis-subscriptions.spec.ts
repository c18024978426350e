import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { config, filter, firstValueFrom, map, merge, take, toArray, type Observable } from 'rxjs';
import { startRedisServer } from '../../scripts/redis-server.mjs';
import type { RedisMessage } from '../../lib/redis/messages/message-stream.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { eventually } from '../support/eventually.js';
import { useFaultProxy } from '../support/fault-proxy.js';
import { useRedisServer } from '../support/redis-server.js';

const server = useRedisServer();
const proxy = useFaultProxy(server);

/** Not of the pool, and past the proxy. */
let outside: Redis;
let pool: RedisPool;

beforeEach(() => {
  outside = new Redis(server.url);
  pool = poolOf();
});

afterEach(async () => {
  await pool.drain();
  await outside.quit();
});

const poolOf = (options: Partial<RedisPoolOptions> = {}) =>
  new RedisPool('news', { type: 'redis', url: server.url, max: 4, ...options });

/** How many connections are subscribed to a channel. */
const subscribersOf = async (channel: string) => Number((await outside.pubsub('NUMSUB', channel))[1]);

const patterns = async () => Number(await outside.pubsub('NUMPAT'));

const subscribed = (channel: string) =>
  eventually(`${channel} is subscribed to`, async () => (await subscribersOf(channel)) === 1);

const unsubscribed = (channel: string) =>
  eventually(`${channel} is unsubscribed`, async () => (await subscribersOf(channel)) === 0);

/** The connections on which somebody is subscribed to anything. */
async function subscriberConnections(): Promise<number> {
  return String(await outside.client('LIST', 'TYPE', 'PUBSUB'))
    .split('\n')
    .filter((line) => line !== '').length;
}

/** Everything that a stream gives, as it comes. */
function listenTo<M>(stream: Observable<M>) {
  const heard = { messages: [] as M[], error: undefined as unknown, completed: false };
  const subscription = stream.subscribe({
    next: (message) => heard.messages.push(message),
    error: (error: unknown) => (heard.error = error),
    complete: () => (heard.completed = true),
  });
  return Object.assign(heard, { leave: () => subscription.unsubscribe() });
}

const heardSo = (heard: { messages: unknown[] }, count: number) =>
  eventually(`${count} messages are there`, () => heard.messages.length >= count);

describe.each([2, 3] as const)('A subscription by RESP%d', (protocol) => {
  beforeEach(async () => {
    await pool.drain();
    pool = poolOf({ connection: { protocol } });
  });

  it('takes nothing before the first subscriber, one connection for all, and nothing after the last', async () => {
    const stream = pool.subscribe('sport', 'weather');
    expect(pool.stats()).toMatchObject({ acquired: 0, leased: 0 });
    const all = [stream, stream, pool.subscribe('sport'), pool.psubscribe('sp*')].map((each) =>
      listenTo<RedisMessage>(each),
    );
    await Promise.all([subscribed('sport'), subscribed('weather')]);
    await eventually('the pattern is subscribed to', async () => (await patterns()) === 1);
    expect(pool.stats().leased).toBe(1);
    await expect(subscriberConnections()).resolves.toBe(1);

    await outside.publish('sport', 'goal');
    await outside.publish('weather', 'rain');
    await Promise.all([2, 2, 1, 1].map((count, at) => heardSo(all[at]!, count)));
    const goal = { channel: 'sport', message: 'goal' };
    const rain = { channel: 'weather', message: 'rain' };
    expect(all.map(({ messages }) => messages)).toEqual([
      [goal, rain],
      [goal, rain],
      [goal],
      [{ ...goal, pattern: 'sp*' }],
    ]);

    all[0]!.leave();
    all[1]!.leave();
    await unsubscribed('weather');
    await expect(subscribersOf('sport')).resolves.toBe(1);
    all[2]!.leave();
    all[3]!.leave();
    await eventually('the connection is back', () => pool.stats().leased === 0);
    await expect(subscriberConnections()).resolves.toBe(0);
    await expect(patterns()).resolves.toBe(0);
    await expect(pool.use((redis) => redis.set('key', 'value'))).resolves.toBe('OK');
  });

  it('gives each message once, however often its channel is named', async () => {
    const heard = listenTo(pool.subscribe('sport', 'sport'));
    await subscribed('sport');
    await outside.publish('sport', 'one');
    await outside.publish('sport', '');
    await heardSo(heard, 2);
    expect(heard.messages.map(({ message }) => message)).toEqual(['one', '']);
  });

  it('of sharded channels has a connection of its own, and leaves the others alone when it ends', async () => {
    const plain = listenTo(pool.subscribe('sport'));
    const sharded = listenTo(pool.ssubscribe('goals'));
    await subscribed('sport');
    await eventually('it is there', async () => (await outside.pubsub('SHARDNUMSUB', 'goals'))[1] === 1);
    await outside.spublish('goals', '1:0');
    await heardSo(sharded, 1);
    sharded.leave();
    await eventually('it is gone', async () => (await outside.pubsub('SHARDNUMSUB', 'goals'))[1] === 0);
    await outside.publish('sport', 'still there');
    await heardSo(plain, 1);
    expect(sharded.messages).toEqual([{ channel: 'goals', message: '1:0' }]);
    expect(plain.messages).toEqual([{ channel: 'sport', message: 'still there' }]);
  });

  it('survives the loss of its connection, and tells that messages may be missing', async () => {
    const warnings = listenTo(pool.events$.pipe(filter(({ type }) => type === 'warned')));
    const heard = listenTo(merge(pool.subscribe('sport', 'weather'), pool.psubscribe('n*')));
    await Promise.all([subscribed('sport'), subscribed('weather')]);
    await outside.publish('sport', 'before');
    await outside.client('KILL', 'TYPE', 'PUBSUB');
    await Promise.all([subscribed('sport'), subscribed('weather')]);
    await eventually('the pattern is subscribed to', async () => (await patterns()) === 1);
    for (const channel of ['sport', 'weather', 'nature', 'sport']) await outside.publish(channel, 'after');
    await heardSo(heard, 5);
    expect(heard).toMatchObject({ error: undefined, completed: false });
    expect(heard.messages.map(({ channel, lost }) => [channel, lost])).toEqual([
      ['sport', undefined],
      ['sport', 'unknown'],
      ['weather', 'unknown'],
      ['nature', 'unknown'],
      ['sport', undefined],
    ]);
    expect(warnings.messages).toEqual([
      expect.objectContaining({ message: expect.stringContaining('the subscriptions was lost') as unknown }),
    ]);
    await expect(subscriberConnections()).resolves.toBe(1);
  });

  it('may be ended and begun again while the server is still being told', async () => {
    for (let round = 0; round < 50; round += 1) {
      const first = listenTo(pool.subscribe('sport'));
      if (round % 3 === 1) await sleep(1);
      first.leave();
      if (round % 5 === 1) await sleep(1);
      const second = listenTo(pool.subscribe('sport'));
      await subscribed('sport');
      await outside.publish('sport', String(round));
      await heardSo(second, 1);
      expect(second.messages).toEqual([{ channel: 'sport', message: String(round) }]);
      expect(first.messages).toEqual([]);
      second.leave();
    }
    await unsubscribed('sport');
    await eventually('the connection is back', () => pool.stats().leased === 0);
  });

  it('answers a server that is silent with another connection', async () => {
    await pool.drain();
    pool = new RedisPool('news', {
      type: 'redis',
      url: proxy.url,
      max: 4,
      commandTimeoutMs: 50,
      connection: { protocol },
    });
    const heard = listenTo(pool.subscribe('sport'));
    await subscribed('sport');
    proxy.connections.at(-1)!.halfOpen();
    await eventually('there is another one', () => proxy.connections.length > 1);
    await eventually('a message comes through', async () => {
      await outside.publish('sport', 'news');
      return heard.messages.length > 0;
    });
    expect(heard.messages[0]).toEqual({ channel: 'sport', message: 'news', lost: 'unknown' });
  });
});

describe('A subscription', () => {
  it('of hundreds of subscribers to dozens of channels gives each his own', async () => {
    const channels = Array.from({ length: 40 }, (_, at) => `channel-${at}`);
    const all = channels.flatMap((channel) =>
      Array.from({ length: 10 }, () => ({ channel, heard: listenTo(pool.subscribe(channel)) })),
    );
    await Promise.all(channels.map(subscribed));
    for (const channel of channels) await outside.publish(channel, `to ${channel}`);
    await Promise.all(all.map(({ heard }) => heardSo(heard, 1)));
    for (const { channel, heard } of all)
      expect(heard.messages).toEqual([{ channel, message: `to ${channel}` }]);
    for (const { heard } of all) heard.leave();
    await eventually('the connection is back', () => pool.stats().leased === 0);
    await expect(subscriberConnections()).resolves.toBe(0);
  });

  it('gives channels the names they were asked for by, with a keyPrefix', async () => {
    await pool.drain();
    pool = poolOf({ connection: { keyPrefix: 'app:' } });
    const plain = listenTo(pool.subscribe('sport'));
    const sharded = listenTo(pool.ssubscribe('sport'));
    await subscribed('sport');
    await eventually('it is there', async () => (await outside.pubsub('SHARDNUMSUB', 'app:sport'))[1] === 1);
    await pool.commands.publish('sport', 'plain');
    await pool.commands.spublish('sport', 'sharded');
    await Promise.all([heardSo(plain, 1), heardSo(sharded, 1)]);
    expect(plain.messages).toEqual([{ channel: 'sport', message: 'plain' }]);
    expect(sharded.messages).toEqual([{ channel: 'sport', message: 'sharded' }]);
  });

  it('whose subscriber throws goes on for the others, and for him', async () => {
    const errors: unknown[] = [];
    config.onUnhandledError = (error) => errors.push(error);
    const heard: string[] = [];
    pool.subscribe('sport').subscribe(({ message }) => {
      heard.push(`careless ${message}`);
      throw new Error('careless');
    });
    pool.subscribe('sport').subscribe(({ message }) => heard.push(`careful ${message}`));
    await subscribed('sport');
    await outside.publish('sport', '1');
    await outside.publish('sport', '2');
    await eventually('all have heard', () => heard.length === 4 && errors.length === 2);
    expect(heard).toEqual(['careless 1', 'careful 1', 'careless 2', 'careful 2']);
    config.onUnhandledError = null;
  });

  it('that stays is no leak', async () => {
    await pool.drain();
    pool = poolOf({ leakThresholdMs: 20 });
    const leaks = listenTo(pool.events$.pipe(filter(({ type }) => type === 'leaked')));
    listenTo(pool.subscribe('sport'));
    await subscribed('sport');
    const forgotten = await pool.acquire();
    await heardSo(leaks, 1);
    await sleep(60);
    expect(leaks.messages).toHaveLength(1);
    await forgotten.release();
  });

  it('survives a restart of the server', async () => {
    const own = await startRedisServer();
    // Long enough for a first subscription on a busy machine, and too short for one while the server is away.
    const away = new RedisPool('away', {
      type: 'redis',
      url: own.url,
      min: 1,
      max: 4,
      acquireTimeoutMs: 1_000,
    });
    await away.start();
    const heard = listenTo(away.subscribe('sport'));
    const publish = (message: string) =>
      eventually('somebody has heard it', async () => (await away.commands.publish('sport', message)) === 1);
    await publish('before');
    await heardSo(heard, 1); // the server answers who publishes before it tells who listens
    await own.stop();
    await sleep(1_200);
    const again = await startRedisServer({ port: own.port });
    await publish('after');
    await heardSo(heard, 2);
    expect(heard).toMatchObject({
      messages: [{ message: 'before' }, { message: 'after', lost: 'unknown' }],
      error: undefined,
    });
    await away.drain();
    await again.stop();
  });

  it('is tried again when the connection is lost before the server has confirmed it', async () => {
    await pool.drain();
    pool = new RedisPool('news', { type: 'redis', url: proxy.url, max: 4 });
    const lease = await pool.acquire();
    await lease.release();
    proxy.connections.at(-1)!.stall('toServer');
    const heard = listenTo(pool.subscribe('sport'));
    await eventually('it has a connection', () => pool.stats().leased === 1);
    proxy.connections.at(-1)!.reset();
    await subscribed('sport');
    await outside.publish('sport', 'news');
    await heardSo(heard, 1);
    expect(heard).toMatchObject({ messages: [{ channel: 'sport', message: 'news' }], error: undefined });
  });

  describe('that cannot be had', () => {
    it('because the server is away errors with the cause', async () => {
      proxy.refuse();
      const away = new RedisPool('away', { type: 'redis', url: proxy.url, max: 2, acquireTimeoutMs: 600 });
      const outcome = firstValueFrom(away.subscribe('sport'));
      await expect(outcome).rejects.toMatchObject({
        code: 'ERR_POOL_TIMEOUT',
        cause: { code: 'ECONNREFUSED' },
      });
      await proxy.accept();
      await eventually('the pool is well again', () => away.use(() => true));
      const heard = listenTo(away.subscribe('sport'));
      await subscribed('sport');
      heard.leave();
      await away.drain();
    });

    it('because the server does not confirm it in time errors', async () => {
      const slow = new RedisPool('slow', {
        type: 'redis',
        url: proxy.url,
        max: 2,
        acquireTimeoutMs: 600,
        commandTimeoutMs: 0,
      });
      await slow.use((redis) => redis.ping());
      proxy.stall('toServer');
      await expect(firstValueFrom(slow.subscribe('sport'))).rejects.toMatchObject({
        code: 'ERR_POOL_UNAVAILABLE',
        message: expect.stringContaining('could not subscribe within 600 ms') as unknown,
      });
      proxy.reset();
      await slow.drain();
    });

    it('because the user may not errors, and leaves the others alone', async () => {
      await outside.acl('SETUSER', 'reader', 'on', '>secret', '+@all', '~*', 'resetchannels', '&public');
      const theirs = poolOf({ connection: { username: 'reader', password: 'secret' } });
      const heard = listenTo(theirs.subscribe('public'));
      await subscribed('public');
      const both = listenTo(theirs.subscribe('public', 'private'));
      await eventually('it is refused', () => both.error !== undefined);
      expect(both.error).toMatchObject({
        name: 'ReplyError',
        message: expect.stringContaining('NOPERM') as unknown,
      });
      await outside.publish('public', 'news');
      await heardSo(heard, 1);
      heard.leave();
      await eventually('the connection is back', () => theirs.stats().leased === 0);
      await theirs.drain();
    });

    it('because it would take the only connection errors, and says what to do', async () => {
      const small = poolOf({ max: 1 });
      await expect(firstValueFrom(small.subscribe('sport'))).rejects.toMatchObject({
        code: 'ERR_POOL_OPTIONS',
        message: expect.stringContaining('max must be at least 2') as unknown,
      });
      await small.drain();
    });

    it('because nothing was asked for throws', () => {
      expect(() => pool.subscribe()).toThrow('subscribe() needs strings, at least one');
      expect(() => pool.psubscribe(7 as unknown as string)).toThrow(
        'psubscribe() needs strings, at least one',
      );
    });
  });

  describe('and the end of the pool:', () => {
    it('a drain completes it first, and does not wait for it', async () => {
      const heard = listenTo(pool.subscribe('sport'));
      await subscribed('sport');
      const report = await pool.drain();
      expect(heard).toMatchObject({ completed: true, error: undefined });
      expect(report).toMatchObject({ clean: true, revoked: [] });
      expect(report.durationMs).toBeLessThan(5_000);
      await expect(subscriberConnections()).resolves.toBe(0);
      await expect(firstValueFrom(pool.subscribe('sport'))).rejects.toMatchObject({
        code: 'ERR_POOL_CLOSED',
      });
    });

    it('a drain completes it though the server is silent', async () => {
      const slow = new RedisPool('slow', { type: 'redis', url: proxy.url, max: 2, shared: 0 });
      const heard = listenTo(slow.subscribe('sport'));
      await subscribed('sport');
      proxy.stall();
      const report = await slow.drain();
      expect(heard.completed).toBe(true);
      expect(report).toMatchObject({ clean: true, revoked: [] });
    });

    it('a drain while the connection is lost leaves nothing behind', async () => {
      const heard = listenTo(pool.subscribe('sport'));
      await subscribed('sport');
      const killed = outside.client('KILL', 'TYPE', 'PUBSUB');
      await expect(pool.drain()).resolves.toMatchObject({ clean: true });
      await killed;
      expect(heard.completed).toBe(true);
      await expect(subscriberConnections()).resolves.toBe(0);
    });

    it('endLongLivedWork() completes it, and the rest of the pool goes on', async () => {
      const heard = listenTo(pool.subscribe('sport'));
      await subscribed('sport');
      pool.endLongLivedWork();
      expect(heard.completed).toBe(true);
      await unsubscribed('sport');
      await expect(pool.use((redis) => redis.set('key', 'value'))).resolves.toBe('OK');
      await expect(firstValueFrom(pool.subscribe('sport'))).rejects.toMatchObject({
        code: 'ERR_POOL_CLOSED',
      });
      await eventually('the connection is back', () => pool.stats().leased === 0);
    });
  });
});

describe('A loop over a subscription', () => {
  it('that is slow keeps the newest messages, and is told how many it lost', async () => {
    await pool.drain();
    pool = poolOf({ maxBufferedMessages: 3 });
    const heard: RedisMessage[] = [];
    const other = listenTo(pool.subscribe('sport'));
    const loop = (async () => {
      for await (const message of pool.subscribe('sport')) {
        heard.push(message);
        if (heard.length === 1) await heardSo(other, 10);
        if (heard.length === 4) break;
      }
    })();
    await subscribed('sport');
    for (let at = 0; at < 10; at += 1) await outside.publish('sport', String(at));
    await loop;
    expect(heard).toEqual([
      { channel: 'sport', message: '0' },
      { channel: 'sport', message: '7', lost: 6 },
      { channel: 'sport', message: '8' },
      { channel: 'sport', message: '9' },
    ]);
    other.leave();
    await eventually('the connection is back', () => pool.stats().leased === 0);
  });

  it('ends with the pool', async () => {
    const heard: string[] = [];
    const loop = (async () => {
      for await (const { message } of pool.subscribe('sport')) heard.push(message);
    })();
    await subscribed('sport');
    await outside.publish('sport', 'last');
    await eventually('it has heard', () => heard.length === 1);
    await pool.drain();
    await loop;
    expect(heard).toEqual(['last']);
  });

  it('fails with what keeps it from its messages', async () => {
    await pool.drain();
    const loop = (async () => {
      for await (const { message } of pool.subscribe('sport')) throw new Error(`${message} should not come`);
    })();
    await expect(loop).rejects.toMatchObject({ code: 'ERR_POOL_CLOSED' });
  });

  it('can be had in the manner of rxjs as well', async () => {
    const first = firstValueFrom(
      pool.subscribe('sport').pipe(
        map(({ message }) => message),
        take(2),
        toArray(),
      ),
    );
    await subscribed('sport');
    await outside.publish('sport', 'one');
    await outside.publish('sport', 'two');
    await expect(first).resolves.toEqual(['one', 'two']);
    await unsubscribed('sport');
  });
});
