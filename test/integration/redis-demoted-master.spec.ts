import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { eventually } from '../support/eventually.js';
import { useFaultProxy } from '../support/fault-proxy.js';
import { useRedisServer } from '../support/redis-server.js';

const first = useRedisServer();
const second = useRedisServer();
const address = {
  leadsTo: first,
  get port() {
    return this.leadsTo.port;
  },
};
const proxy = useFaultProxy(address);

let pool: RedisPool;
let demoted: Redis;

async function open(options: Omit<RedisPoolOptions, 'type'> = {}): Promise<void> {
  pool = new RedisPool('cache', { type: 'redis', url: proxy.url, ...options });
  await pool.start();
}

/** Its sockets take a while to close, and replies go on coming. */
function lingering(client: Redis): Redis {
  return client.on('connect', () => {
    const { stream } = client;
    const destroy = stream.destroy.bind(stream);
    stream.destroy = () => {
      setTimeout(destroy, 50);
      return stream;
    };
  });
}

/** The first server becomes a replica of the second one at once, and stays reachable. */
async function demote(): Promise<void> {
  await demoted.replicaof('127.0.0.1', second.port);
}

beforeEach(async () => {
  address.leadsTo = first;
  demoted = new Redis(first.url);
  await demoted.replicaof('NO', 'ONE');
  await demoted.flushall();
});

afterEach(async () => {
  await pool.drain({ timeoutMs: 500 });
  await demoted.quit();
});

const refused = { name: 'ReplyError', message: expect.stringContaining('READONLY') as unknown };

describe('When the master is demoted', () => {
  it('writes find the new one where the address leads to it, each once, and reads go on', async () => {
    await open();
    await demote();
    address.leadsTo = second;
    const keys = Array.from({ length: 50 }, (_, at) => `count-${at}`);
    const outcomes = keys.flatMap((key) => [pool.commands.incr(key), pool.commands.get('nothing')]);
    await expect(Promise.all(outcomes)).resolves.toEqual(keys.flatMap(() => [1, null]));
    await expect(pool.commands.mget(keys)).resolves.toEqual(keys.map(() => '1'));
    const master = new Redis(second.url);
    await expect(master.mget(keys)).resolves.toEqual(keys.map(() => '1'));
    await master.flushall();
    await master.quit();
  });

  it('writes fail with what the server says where there is no new one, and it is not asked over and over', async () => {
    await open();
    await demote();
    const connected = async () => Number(/total_connections_received:(\d+)/.exec(await demoted.info())?.[1]);
    const before = await connected();
    for (let writes = 0; writes < 50; writes += 1) {
      await expect(pool.commands.set('key', 'value')).rejects.toMatchObject(refused);
    }
    expect((await connected()) - before).toBe(1);
    await expect(pool.commands.get('key')).resolves.toBeNull();
  });

  it('a reconnectOnError of the user decides instead', async () => {
    await open({ connection: { reconnectOnError: () => false } });
    await demote();
    address.leadsTo = second;
    await expect(pool.commands.set('key', 'value')).rejects.toMatchObject(refused);
  });

  it('no transaction is executed in part, though the refusals come bit by bit while others begin', async () => {
    await open({ createClient: (options) => lingering(new Redis(options)) });
    proxy.delay(20, 'toClient');
    await demote();
    address.leadsTo = second;
    const keysOf = (at: number) => [`one-${at}`, `two-${at}`];
    const begun: Promise<unknown>[] = [];
    for (let at = 0; at < 200; at += 1) {
      const [one, two] = keysOf(at);
      begun.push(pool.commands.multi().set(one!, '').set(two!, '').exec());
      await sleep(1);
    }
    const outcomes = await Promise.allSettled(begun);
    const found = await Promise.all(outcomes.map((_, at) => pool.commands.exists(keysOf(at))));
    const told = outcomes.map((outcome, at) => {
      if (outcome.status === 'fulfilled') return found[at] === 2;
      return String(outcome.reason).includes('EXECABORT') ? found[at] === 0 : found[at] !== 1;
    });
    expect(told.filter((isTrue) => !isTrue)).toEqual([]);
    expect(outcomes).toContainEqual(expect.objectContaining({ status: 'rejected' }));
    expect(outcomes.at(-1)).toMatchObject({ status: 'fulfilled' });
    await pool.commands.flushall();
  });

  it('a transaction is never executed in part', async () => {
    await open();
    await demote();
    address.leadsTo = second;
    const failed = pool.commands.multi().incr('one').incr('two').exec();
    await expect(failed).rejects.toMatchObject({
      message: expect.stringMatching(/EXECABORT|connection was lost/) as unknown,
    });
    await expect(pool.commands.mget('one', 'two')).resolves.toEqual([null, null]);
    await eventually('the new master is found', async () => (await pool.commands.incr('one')) === 1);
    await pool.commands.flushall();
  });
});
