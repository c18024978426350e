import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { firstValueFrom, type Observable } from 'rxjs';
import type { PoolError } from '../../lib/core/pool.errors.js';
import { wordsOf } from '../../lib/core/words-of.js';
import type { PoolEvent } from '../../lib/core/pool.events.js';
import type { RedisMessage } from '../../lib/redis/messages/message-stream.js';
import type { RedisCredentials } from '../../lib/redis/opening/credentials.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { Callers } from '../support/callers.js';
import { Certificates } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';

/** As for `useRedisServer()`: the first start on a machine may have to install a server. */
const START_WITHIN_MS = 15 * 60_000;

/** No password may be shown: each has this in it. */
const SECRET = /horse/;

const ANN: RedisCredentials = { username: 'ann', password: 'horse-of-ann' };
const BEN: RedisCredentials = { username: 'ben', password: 'horse-of-ben' };
const CARA: RedisCredentials = { username: 'cara', password: 'horse-of-cara' };
const ADMIN: RedisCredentials = { username: 'admin', password: 'horse-of-admin' };

/** Of callers whose keys are in slots of all masters. */
const NAMES = Array.from({ length: 6 }, (_, at) => `caller-${at}`);

/** Keys in slots of all masters. */
const KEYS = Array.from({ length: 30 }, (_, at) => `key-${at}`);

/** As a user of an application usually may. */
const MAY = ['~*', '&*', '+@all', '-@dangerous', '+info'];

let certificates: Certificates;
let cluster: RedisCluster;
let tls: { ca: Buffer; cert: Buffer; key: Buffer };
const pools: RedisPool[] = [];
const warnings: string[] = [];
const shown: string[] = [];

beforeAll(async () => {
  certificates = new Certificates();
  const [ofNodes, ofClients] = [certificates.make('nodes'), certificates.make('clients')];
  const [ca, cert, key] = [ofNodes.cert, ofClients.cert, ofClients.key].map((file) => readFileSync(file));
  tls = { ca: ca!, cert: cert!, key: key! };
  cluster = await RedisCluster.start({
    hasReplicas: false,
    tls: { ...ofNodes, trusted: certificates.trusting(ofNodes, ofClients) },
    config: ['user default off', `user ${ADMIN.username} on >${ADMIN.password} ~* &* +@all`],
    access: { ...ADMIN, tls },
  });
}, START_WITHIN_MS);

afterAll(async () => {
  await cluster.stop();
  certificates.remove();
});

beforeEach(async () => {
  warnings.length = 0;
  for (const each of [ANN, BEN]) await allow(each);
});

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.drain()));
  await eventually('no connection is left', async () => (await cluster.clients()).length === 0);
  expect(shown.splice(0).join('\n')).not.toMatch(SECRET);
});

/** Keeps everything that anybody could log of a value. */
function show(value: unknown): void {
  shown.push(inspect(value, { depth: Infinity, showHidden: true }), String(value));
}

function poolOf(options: Partial<RedisPoolOptions> = {}): RedisPool {
  const pool = new RedisPool('cache', {
    type: 'redis',
    max: 16,
    // The servers share a machine that may be busy.
    acquireTimeoutMs: 20_000,
    commandTimeoutMs: 20_000,
    cluster: { nodes: cluster.addresses, options: { slotsRefreshTimeout: 10_000 } },
    connection: { ...ANN, tls },
    ...options,
  });
  pool.events$.subscribe((event: PoolEvent) => {
    show(event);
    if (event.type === 'warned') warnings.push(event.message);
  });
  pools.push(pool);
  return pool;
}

/** Gives every node an order. */
async function order(command: string, ...words: string[]): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.call(command, ...words)));
}

/** Lets every node know a user, who may do what one usually may. */
const allow = ({ username, password }: RedisCredentials, ...except: string[]): Promise<void> =>
  order('ACL', 'SETUSER', username!, 'reset', 'on', `>${password}`, ...MAY, ...except);

/** Who is connected to the nodes, sorted; of those whose connection is for more than a question. */
async function users(): Promise<string[]> {
  const lines = (await cluster.clients()).filter((line) => !line.includes('(refresher)'));
  return lines.map((line) => / user=(\S+)/.exec(line)![1]!).sort();
}

const usersNow = async (): Promise<string[]> => [...new Set(await users())];

/** Has a message published until one is heard; the stream may still be on its way to the server. */
async function heardBy<M extends RedisMessage>(
  messages: Observable<M>,
  publish: () => Promise<unknown>,
): Promise<M> {
  let first: M | undefined;
  const heard = firstValueFrom(messages).then((message) => {
    first = message;
    return message;
  });
  await eventually('it is heard', async () => {
    await publish();
    return first !== undefined;
  });
  return heard;
}

/** Uses every node, by a command and by a lease. */
async function useAllNodes(pool: RedisPool): Promise<void> {
  await Promise.all(KEYS.map((key) => pool.commands.set(key, key)));
  const values = await pool.use((redis) => Promise.all(KEYS.map((key) => redis.get(key))));
  expect(values).toEqual(KEYS);
}

async function useAllWays(pool: RedisPool): Promise<void> {
  await useAllNodes(pool);
  await pool.commands.set('stock', 2);
  const taken = pool.transaction(['stock'], async (redis) => {
    const stock = Number(await redis.get('stock'));
    return redis.multi().set('stock', stock - 1);
  });
  await expect(taken).resolves.toEqual([[null, 'OK']]);
  const job = pool.commands.blpop('jobs', 0);
  await pool.commands.rpush('jobs', 'work');
  await expect(job).resolves.toEqual(['jobs', 'work']);
  await expect(
    heardBy(pool.subscribe('news'), () => pool.commands.publish('news', 'hello')),
  ).resolves.toMatchObject({ channel: 'news', message: 'hello' });
  await expect(
    heardBy(pool.psubscribe('new*'), () => pool.commands.publish('news', 'hello')),
  ).resolves.toMatchObject({ pattern: 'new*', channel: 'news', message: 'hello' });
  await expect(
    heardBy(pool.ssubscribe('shard'), () => pool.commands.spublish('shard', 'hello')),
  ).resolves.toMatchObject({ channel: 'shard', message: 'hello' });
}

describe('In a cluster that speaks TLS with those who have a certificate, a user', () => {
  it.each<[string, Partial<RedisPoolOptions>]>([
    ['', {}],
    [' in RESP2', { connection: { protocol: 2 } }],
    [' by credentials()', { connection: {}, credentials: () => Promise.resolve(ANN) }],
  ])('has commands, leases, transactions and subscriptions%s', async (_how, { connection, ...options }) => {
    const who = options.credentials === undefined ? ANN : {};
    const pool = poolOf({ connection: { ...who, tls, ...connection }, ...options });
    await pool.start();
    await useAllWays(pool);
    await expect(usersNow()).resolves.toEqual(['ann']);
    expect(warnings).toEqual([]);
  });
});

describe('start() says', () => {
  const who = (answer: unknown): Partial<RedisPoolOptions> => ({
    connection: { tls },
    credentials: () => Promise.resolve(answer as RedisCredentials),
  });
  const refusals: [string, () => Partial<RedisPoolOptions>, RegExp][] = [
    [
      'that a password is wrong',
      () => ({ connection: { ...ANN, password: 'wrong-horse', tls } }),
      /refuses this user or password.*WRONGPASS/,
    ],
    [
      'that a password is wrong, in RESP2',
      () => ({ connection: { ...ANN, password: 'wrong-horse', tls, protocol: 2 } }),
      /refuses this user or password.*WRONGPASS/,
    ],
    [
      'that a password of credentials() is wrong',
      () => who({ ...ANN, password: 'wrong-horse' }),
      /refuses this user or password.*WRONGPASS/,
    ],
    ['that a password is missing', () => ({ connection: { tls } }), /asks for a password/],
    [
      'that credentials() makes no sense',
      () => who({ username: 5, password: 'wrong-horse' }),
      /credentials\(\) must resolve with/,
    ],
    [
      'that the servers want a certificate',
      () => ({ connection: { ...ANN, tls: { ca: tls.ca } } }),
      /wants a certificate of the client/,
    ],
    [
      'that the servers want a certificate, in TLS 1.2',
      () => ({ connection: { ...ANN, tls: { ca: tls.ca, maxVersion: 'TLSv1.2' } } }),
      /wants a certificate of the client/,
    ],
    [
      'that nobody vouches for the certificate of the servers',
      () => ({ connection: { ...ANN, tls: { cert: tls.cert, key: tls.key } } }),
      /nobody whom this process trusts/,
    ],
    [
      'that the user may not ask how the cluster is',
      () => ({ connection: { ...CARA, tls } }),
      /NOPERM .*'cluster\|info'/,
    ],
    ['that the servers speak TLS', () => ({ connection: { ...ANN } }), /does it speak TLS/],
  ];

  /** Each takes all of its time, so they take it together. */
  it.each([
    ['shared connections', { shared: 1 }],
    ['leases', { shared: 0, min: 1 }],
  ])('what is wrong when it opens %s, and nothing secret', async (_which, limits) => {
    await allow(CARA, '-cluster|info');
    const told = refusals.map(async ([what, options]) => {
      const started = poolOf({ ...limits, ...options() }).start({ timeoutMs: 5_000 });
      const error = (await started.catch((reason: unknown) => reason)) as PoolError;
      show(error);
      return [what, error.code, wordsOf(error.cause)];
    });
    const right = refusals.map(([what, , cause]) => [
      what,
      'ERR_POOL_UNAVAILABLE',
      expect.stringMatching(cause) as unknown,
    ]);
    expect(await Promise.all(told)).toEqual(right);
  });
});

describe('Whoever subscribes by a connection of before a password was changed', () => {
  it.each([
    ['subscribe()', (pool: RedisPool) => pool.subscribe('news')],
    ['ssubscribe()', (pool: RedisPool) => pool.ssubscribe('shard')],
  ])('is told so by %s, and nothing secret', async (_how, messagesOf) => {
    const pool = poolOf();
    await useAllNodes(pool);
    await order('ACL', 'SETUSER', 'ann', 'resetpass', '>new-horse');
    const error = await firstValueFrom(messagesOf(pool)).catch((reason: unknown) => reason);
    show(error);
    expect(wordsOf(error)).toContain('WRONGPASS');
  });
});

describe('When credentials() changes its answer', () => {
  let answer: RedisCredentials;
  const source = jest.fn(() => Promise.resolve(answer));
  const rotating = (options: Partial<RedisPoolOptions> = {}) =>
    poolOf({ connection: { tls }, credentials: source, ...options });

  beforeEach(() => {
    answer = ANN;
    source.mockClear();
  });

  it('connections to all nodes are replaced or authenticate anew, gently, and no caller sees an error', async () => {
    const pool = rotating({ min: 2 });
    await pool.start();
    const callers = new Callers(pool, NAMES);
    await callers.wellAfterMs();
    const held = await pool.acquire();
    await Promise.all(KEYS.map((key) => held.resource.get(key)));
    answer = BEN;
    pool.renew();
    await eventually('all but one are ben', async () => {
      const ofAnn = (await users()).filter((user) => user === 'ann');
      return ofAnn.length === cluster.nodes.length;
    });
    await expect(held.resource.acl('WHOAMI')).resolves.toBe('ann');
    await held.release();
    await eventually('all are ben', async () => (await users()).every((user) => user === 'ben'));
    callers.mark();
    await callers.wellAfterMs();
    await callers.stop();
    expect(callers.failures).toEqual({});
    expect(callers.lies).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('whoever subscribes by a connection of before does so with the new answer', async () => {
    const pool = rotating({ max: 3 });
    await Promise.all([1, 2].map(() => useAllNodes(pool)));
    await order('ACL', 'SETUSER', 'ann', 'resetpass', '>new-horse');
    answer = { ...ANN, password: 'new-horse' };
    const asked = source.mock.calls.length;
    const errors: unknown[] = [];
    const heard: string[] = [];
    const ears = [pool.subscribe('news'), pool.ssubscribe('shard')].map((messages) =>
      messages.subscribe({
        next: ({ channel }) => heard.push(channel),
        error: (error) => errors.push(error),
      }),
    );
    await eventually('both hear', async () => {
      await pool.commands.publish('news', 'hello');
      await pool.commands.spublish('shard', 'hello');
      return errors.length > 0 || (heard.includes('news') && heard.includes('shard'));
    });
    for (const ear of ears) ear.unsubscribe();
    expect(errors).toEqual([]);
    expect(pool.stats()).toMatchObject({ destroyed: 0 });
    expect(source.mock.calls.length).toBeGreaterThan(asked);
  });

  it('and nodes refuse it, shared connections go on as they are, and one warning says so', async () => {
    const pool = rotating();
    await useAllNodes(pool);
    answer = { ...BEN, password: 'wrong-horse' };
    pool.renew();
    await eventually('a warning comes', () => warnings.length > 0);
    await Promise.all(KEYS.map((key) => pool.commands.get(key)));
    await expect(usersNow()).resolves.toEqual(['ann']);
    expect(warnings).toEqual([expect.stringMatching(/goes on with its old credentials.* WRONGPASS/)]);
  });

  it('and the former user is deleted, which cuts all its connections, everybody is served again', async () => {
    const pool = rotating();
    await pool.start();
    const callers = new Callers(pool, NAMES);
    await callers.wellAfterMs();
    answer = BEN;
    await order('ACL', 'DELUSER', 'ann');
    callers.mark();
    await callers.wellAfterMs();
    await useAllWays(pool);
    await callers.stop();
    expect(callers.lies).toEqual([]);
    await expect(usersNow()).resolves.toEqual(['ben']);
  });
});

describe('When all connections are cut', () => {
  it('everybody is served again, and subscribers are told that they may have missed something', async () => {
    const pool = poolOf();
    await pool.start();
    const callers = new Callers(pool, NAMES);
    const heard: RedisMessage[] = [];
    const ears = [pool.subscribe('news'), pool.ssubscribe('shard')].map((messages) =>
      messages.subscribe((message) => heard.push(message)),
    );
    const hearsAll = async () => {
      await pool.commands.publish('news', 'hello').catch(() => undefined);
      await pool.commands.spublish('shard', 'hello').catch(() => undefined);
      return ['news', 'shard'].every((name) => heard.some(({ channel }) => channel === name));
    };
    await eventually('they hear', hearsAll);
    await callers.wellAfterMs();
    await order('CLIENT', 'KILL', 'USER', 'ann');
    callers.mark();
    heard.length = 0;
    await eventually('they hear again', hearsAll);
    await callers.wellAfterMs();
    await callers.stop();
    for (const ear of ears) ear.unsubscribe();
    expect(callers.lies).toEqual([]);
    for (const name of ['news', 'shard'])
      expect(heard.find(({ channel }) => channel === name)).toMatchObject({ lost: 'unknown' });
    expect(Object.keys(callers.failures).filter((failure) => !failure.startsWith('ERR_POOL_'))).toEqual([]);
  });
});

describe('A warning tells at which node', () => {
  it('the pools of this process may ask for more connections than it accepts', async () => {
    const [small] = cluster.nodes;
    await small!.call('CONFIG', 'SET', 'maxclients', 60);
    const first = poolOf({ max: 30 });
    await useAllNodes(first);
    await useAllNodes(poolOf({ max: 26 }));
    expect(warnings).toEqual([]);
    await useAllNodes(poolOf({ max: 16 }));
    await useAllNodes(first);
    expect(warnings).toEqual([
      expect.stringMatching(
        new RegExp(
          `^node 127.0.0.1:${small!.port} of the cluster: .*72 connections .*"cache" 30, "cache" 26, "cache" 16.* 56 .*lower max`,
        ),
      ),
    ]);
    await small!.call('CONFIG', 'SET', 'maxclients', 10_000);
  });
});
