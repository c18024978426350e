import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { LeaseReleasedError } from '../../lib/core/pool.errors.js';
import type { RedisConnection } from '../../lib/redis/redis-connection.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { eventually } from '../support/eventually.js';
import { useRedisServer } from '../support/redis-server.js';

afterAll(() => outside.quit()); // before the servers are stopped, or it would wait for them

const server = useRedisServer({ args: ['--lua-time-limit', '50'] });
const clusterServer = useRedisServer({ args: ['--cluster-enabled', 'yes'] });

/** Somebody else on the same server. */
let outside: Redis;
/** One connection to lend, so that the next holder gets what the last one left. */
let pool: RedisPool;

beforeAll(async () => {
  outside = new Redis(server.url);
  await outside.call('ACL', 'SETUSER', 'other', 'on', 'nopass', '~*', '&*', '+@all');
});
afterEach(() => pool.drain());

function open(connection: object = {}, url = server.url): void {
  pool = new RedisPool('cache', { type: 'redis', url, max: 1, connection });
}

type Fields = Record<string, string>;
type Counts = Record<string, number>;

async function clientInfo(redis: RedisConnection): Promise<Fields> {
  const line = String(await redis.client('INFO')).trim();
  return Object.fromEntries(
    line.split(' ').map((field) => field.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
}

/** How often the server was sent each command, as it counts itself. */
async function commandCounts(): Promise<Counts> {
  const counts: Counts = {};
  for (const [, name = '', calls] of (await outside.info('commandstats')).matchAll(
    /cmdstat_([^:|]+)[^:]*:calls=(\d+)/g,
  ))
    counts[name] = (counts[name] ?? 0) + Number(calls);
  return counts;
}

function difference(before: Counts, after: Counts): Counts {
  const entries = Object.entries(after).map(([name, calls]) => [name, calls - (before[name] ?? 0)] as const);
  return Object.fromEntries(entries.filter(([name, calls]) => calls > 0 && name !== 'info'));
}

type Change = (redis: RedisConnection) => unknown;

/** Lets a holder change the connection, and tells which commands its return cost and whether the next holder gets the same connection. */
async function returned(change: Change) {
  const lease = await pool.acquire();
  const redis = lease.resource;
  const { id } = await clientInfo(redis);
  await change(redis);
  const before = await commandCounts();
  await lease.release();
  const sent = difference(before, await commandCounts());
  return { id, sent };
}

/** The next holder finds the connection as a new one is, in what the server says of it and in how it behaves. */
async function expectAsNew(redis: RedisConnection, expected: Fields): Promise<Fields> {
  const info = await clientInfo(redis);
  expect(info).toMatchObject({
    name: '',
    db: '0',
    sub: '0',
    psub: '0',
    multi: '-1',
    redir: '-1',
    user: 'default',
    ...expected,
  });
  expect(info.flags).toBe('N');
  expect((redis as Redis).condition).toMatchObject({ select: Number(info.db), subscriber: false });
  expect(redis.listenerCount('message')).toBe(0);
  await outside.set('stock', 1);
  await expect(
    redis
      .multi()
      .set('own', info.db ?? '')
      .exec(),
  ).resolves.toEqual([[null, 'OK']]);
  await expect(redis.get('own')).resolves.toBe(info.db);
  await expect(outside.publish('news', 'hello')).resolves.toBe(0);
  return info;
}

const refused = () => undefined;

describe.each([3, 2] as const)('Of a connection that speaks RESP%i', (protocol) => {
  const rows: [what: string, change: Change, undo: Counts][] = [
    ['nothing', (redis) => redis.get('key'), {}],
    ['a transaction', (redis) => redis.multi().set('a', 1).get('a').exec(), {}],
    [
      'a transaction that watched',
      async (redis) => [await redis.watch('stock'), await redis.multi().get('a').exec()],
      {},
    ],
    ['the watching that was ended', async (redis) => [await redis.watch('stock'), await redis.unwatch()], {}],
    ['the database', (redis) => redis.select(5), { select: 1 }],
    ['the database by call()', (redis) => redis.call('SELECT', '5'), { select: 1 }],
    ['the database in a pipeline', (redis) => redis.pipeline().select(5).get('a').exec(), { select: 1 }],
    ['the database in a transaction', (redis) => redis.multi().get('a').select(5).exec(), { select: 1 }],
    ['the database and back', async (redis) => [await redis.select(5), await redis.select(0)], {}],
    ['the database in a script', (redis) => redis.eval("return redis.call('select', 5)", 0), {}],
    ['watched keys', (redis) => redis.watch('stock'), { unwatch: 1 }],
    ['an open transaction', (redis) => redis.multi({ pipeline: false }), { discard: 1 }],
    [
      'an open transaction that watches and has commands queued',
      async (redis) => {
        await redis.watch('stock');
        await redis.multi({ pipeline: false });
        await Promise.all([redis.select(5), redis.set('a', 1)]);
      },
      { discard: 1, unwatch: 1 },
    ],
    ['the name', (redis) => redis.client('SETNAME', 'mine'), { client: 1 }],
    ['exemption from eviction', (redis) => redis.client('NO-EVICT', 'ON'), { client: 1 }],
    ['subscribed channels', (redis) => redis.subscribe('news', 'weather'), { unsubscribe: 2 }],
    [
      'a channel whose name is no text',
      (redis) => redis.subscribe(Buffer.from([0xff, 0x00])),
      { unsubscribe: 1 },
    ],
    ['patterns', (redis) => redis.psubscribe('n*'), { punsubscribe: 1 }],
    [
      'channels and patterns, one of them ended',
      async (redis) => [
        await redis.subscribe('news', 'weather'),
        await redis.psubscribe('n*'),
        await redis.unsubscribe('news'),
      ],
      { unsubscribe: 1, punsubscribe: 1 },
    ],
    [
      'subscriptions that were all ended',
      async (redis) => [await redis.subscribe('a', 'b'), await redis.unsubscribe()],
      {},
    ],
    ['a listener', (redis) => redis.on('message', () => undefined), {}],
    ['a listener for once', (redis) => redis.once('close', () => undefined), {}],
    [
      'much at once',
      async (redis) => {
        await redis.select(5);
        await redis.client('SETNAME', 'mine');
        await redis.client('NO-EVICT', 'ON');
        await redis.watch('stock');
      },
      { select: 1, client: 2, unwatch: 1 },
    ],
  ];

  it.each(rows)('the next holder does not find %s', async (_what, change, undo) => {
    open({ protocol });
    const { id, sent } = await returned(change);
    const info = await pool.use((redis) => expectAsNew(redis, { resp: String(protocol) }));
    expect({ ...sent, id: info.id }).toEqual({ ...undo, id });
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  it.each<[string, Change]>([
    ['a database that does not exist', (redis) => redis.select(99).catch(refused)],
    [
      'a database in a transaction that was discarded',
      async (redis) => {
        await redis.multi({ pipeline: false });
        await redis.select(5);
        await redis.discard();
      },
    ],
    [
      'a database in a transaction that lost the race',
      async (redis) => {
        await redis.watch('stock');
        await outside.set('stock', 2);
        await expect(redis.multi().select(5).exec()).resolves.toBeNull();
      },
    ],
    [
      'a database in a transaction that was aborted',
      async (redis) => {
        await redis.watch('stock');
        await redis.multi().select(5).call('NOSUCHCOMMAND').exec().catch(refused);
      },
    ],
    ['a database that does not exist, in a transaction', (redis) => redis.multi().select(99).exec()],
    ['an EXEC and a DISCARD of nothing', (redis) => Promise.allSettled([redis.exec(), redis.discard()])],
    ['a name with a space', (redis) => redis.client('SETNAME', 'a b').catch(refused)],
    ['a wrong password', (redis) => redis.auth('nobody', 'wrong').catch(refused)],
    ['READONLY without a cluster', (redis) => redis.readonly().catch(refused)],
    [
      'tracking that cannot be',
      (redis) => redis.call('CLIENT', 'TRACKING', 'ON', 'PREFIX', 'a').catch(refused),
    ],
  ])('nothing is undone after %s, for it changed nothing', async (_what, change) => {
    open({ protocol });
    const { id, sent } = await returned(change);
    expect(sent).toEqual({});
    await expect(pool.use((redis) => expectAsNew(redis, {}))).resolves.toMatchObject({ id });
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  it.each<[string, Change]>([
    ['another user', (redis) => redis.auth('other', '')],
    ['a new greeting', (redis) => redis.hello(protocol)],
    ['a reset', (redis) => redis.call('RESET')],
    ['silence', (redis) => void redis.client('REPLY', 'OFF').catch(refused)],
    ['what everybody says', (redis) => redis.call('MONITOR')],
    ['the role of a replica', (redis) => void redis.call('SYNC').catch(refused)],
    ['a pool that hears nothing', (redis) => redis.removeAllListeners('error')],
  ])('the next holder gets another one instead of %s', async (_what, change) => {
    open({ protocol });
    const { id } = await returned(change);
    const info = await pool.use((redis) => expectAsNew(redis, { resp: String(protocol) }));
    expect(info.id).not.toBe(id);
    expect(pool.stats()).toMatchObject({ created: 2, destroyed: 1 });
  });

  it('the next holder does not find what the server learned later, whether it knows it or not', async () => {
    open({ protocol });
    const touches = await returned((redis) => redis.client('NO-TOUCH', 'ON').catch(refused));
    await expect(pool.use((redis) => expectAsNew(redis, {}))).resolves.toMatchObject({ id: touches.id });
    await returned((redis) => redis.client('SETINFO', 'LIB-NAME', 'mine').catch(refused));
    await pool.use(async (redis) => {
      expect((await expectAsNew(redis, {}))['lib-name']).not.toBe('mine');
    });
  });

  it('the next holder does not find a change that was not waited for, nor a reply to it', async () => {
    open({ protocol });
    const first = await pool.use(async (redis) => {
      const info = await clientInfo(redis);
      void redis.select(5);
      void redis.set('left', 'behind');
      return info;
    });
    await expect(pool.use((redis) => expectAsNew(redis, {}))).resolves.toMatchObject({ id: first.id });
    await outside.select(5);
    await expect(outside.getdel('left')).resolves.toBe('behind');
    await outside.select(0);
  });

  it('a blocked command that nobody waits for ends when it is returned', async () => {
    open({ protocol });
    let blocked: Promise<unknown> | undefined;
    const { id } = await returned((redis) => {
      blocked = redis.blpop('nothing', 0).catch((error: unknown) => error);
    });
    await expect(blocked).resolves.toBeInstanceOf(LeaseReleasedError);
    await expect(pool.use((redis) => expectAsNew(redis, {}))).resolves.toMatchObject({ id });
  });

  it('the next holder gets another one instead of a script that hangs', async () => {
    open({ protocol });
    const lease = await pool.acquire();
    const script = lease.resource.eval('while true do end', 0).catch(refused);
    await lease.release();
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 1 });
    await eventually('the script is ended', async () => (await outside.script('KILL')) === 'OK');
    await script;
    await pool.use((redis) => expectAsNew(redis, {}));
  });
});

describe('Of a connection', () => {
  it('the next holder does not find tracking', async () => {
    open();
    const { id, sent } = await returned((redis) => redis.call('CLIENT', 'TRACKING', 'ON', 'OPTIN'));
    expect(sent).toEqual({ client: 1 });
    await expect(pool.use((redis) => expectAsNew(redis, {}))).resolves.toMatchObject({ id });
  });

  it('with options of its own the next holder finds those again', async () => {
    open({ db: 3, connectionName: 'service', keyPrefix: 'app:' });
    const { id, sent } = await returned(async (redis) => {
      await redis.select(0);
      await redis.client('SETNAME', 'mine');
      await redis.ssubscribe('shard');
    });
    expect(sent).toEqual({ select: 1, client: 1, sunsubscribe: 1 });
    const info = await pool.use((redis) => expectAsNew(redis, { db: '3', name: 'service' }));
    expect(info.id).toBe(id);
    await expect(outside.spublish('app:shard', 'hello')).resolves.toBe(0);
  });

  it('shard channels are left with it, where ioredis could not tell messages from replies', async () => {
    open({ protocol: 2 });
    const { id } = await returned((redis) => redis.ssubscribe('shard'));
    await expect(pool.use((redis) => expectAsNew(redis, {}))).resolves.not.toMatchObject({ id });
  });

  it('to a cluster the next holder does not find READONLY, nor ASKING', async () => {
    open({}, clusterServer.url);
    const infoOf = (change: Change) =>
      pool.use(async (redis) => {
        const info = await clientInfo(redis);
        await change(redis);
        return info;
      });
    const first = await infoOf((redis) => redis.readonly());
    const second = await infoOf((redis) => redis.asking());
    const third = await infoOf(refused);
    expect(second).toMatchObject({ id: first.id, flags: 'N' });
    expect(third.id).not.toBe(first.id);
  });

  it('nothing is sent between its holders while they change nothing', async () => {
    open();
    await pool.use((redis) => redis.get('key'));
    const before = await commandCounts();
    for (let holder = 0; holder < 20; holder += 1) await pool.use((redis) => redis.get('key'));
    expect(difference(before, await commandCounts())).toEqual({ get: 20 });
  });
});
