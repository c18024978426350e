import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import { LeaseBrokenError, PoolError } from '../../lib/core/pool.errors.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { eventually } from '../support/eventually.js';
import { useFaultProxy } from '../support/fault-proxy.js';
import { HASTY } from '../support/redis-load.js';
import { repliesOf } from '../support/redis-load.work.js';
import { useRedisServer } from '../support/redis-server.js';
import { expectWholeAndDrain } from '../support/redis-whole.js';

jest.setTimeout(60_000);

const server = useRedisServer();
const proxy = useFaultProxy(server);

let pool: RedisPool;

beforeEach(async () => {
  pool = new RedisPool('cache', { type: 'redis', url: proxy.url, ...HASTY });
  await pool.start({ timeoutMs: 10_000 });
});

afterEach(() => pool.drain({ timeoutMs: 0 }));

const CALLS: [what: string, call: () => Promise<unknown>][] = [
  ['an ordinary command', () => pool.commands.get('key')],
  ['a pipeline', () => pool.commands.pipeline().get('key').exec().then(repliesOf)],
  ['a transaction', () => pool.commands.multi().get('key').exec()],
  ['a command that blocks for a limited time', () => pool.commands.blpop('key', 0.05)],
  ['a stream that is read for a limited time', () => pool.commands.xread('BLOCK', 50, 'STREAMS', 'key', '$')],
  ['a ping', () => pool.ping({ timeoutMs: 300 })],
  [
    'transaction()',
    () => pool.transaction(['key'], (redis) => Promise.resolve(redis.multi().get('key')), { timeoutMs: 500 }),
  ],
];

describe('When connections die in silence', () => {
  it.each(CALLS)('%s is told so in time, and the pool is whole again', async (_what, call) => {
    await call(); // there is a connection for it
    proxy.halfOpen();
    let outcome: unknown;
    call().then(
      (reply) => (outcome = { reply }),
      (error) => (outcome = error as Error),
    );
    await eventually('the caller is told', () => outcome !== undefined, 5_000);
    expect(outcome).toEqual(expect.any(PoolError));
    await eventually('it works', async () => (await pool.commands.echo('again')) === 'again');
    await proxy.heal();
    await expectWholeAndDrain(pool, { server, proxy, shared: HASTY.shared });
  });
});

it.each<[how: string, lose: (socket: Socket) => void]>([
  ['failed', (socket) => socket.destroy(new Error('the cable broke'))],
  ['was closed by this side', (socket) => socket.destroy()],
])('A lease whose socket %s, which nobody has been told yet, is broken to its holder', async (_how, lose) => {
  const used = pool.use((redis) => {
    lose((redis as Redis).stream);
    return redis.get('key');
  });
  await expect(used).rejects.toThrow(LeaseBrokenError);
});

it('A late word that ends what a lease blocks on, which another connection has brought sooner, ends nothing of the next holder', async () => {
  const withOneShared = new RedisPool('jobs', { type: 'redis', url: proxy.url, max: 2, shared: 1 });
  const before = proxy.connections.length;
  await withOneShared.ping();
  const shared = proxy.connections[before]!;
  const areBlocked = (count: number) =>
    eventually(`${count} are blocked`, async () =>
      String(await pool.commands.info('clients')).includes(`\nblocked_clients:${count}\r`),
    );

  const controller = new AbortController();
  const first = withOneShared.use((redis) => redis.blpop('list', 0), { signal: controller.signal });
  await areBlocked(1);
  shared.stall('toServer');
  controller.abort(new Error('changed my mind'));
  await expect(first).rejects.toThrow('changed my mind');

  const next = withOneShared.use((redis) => redis.blpop('list', 0));
  next.catch(() => undefined); // it is looked at below
  await areBlocked(1);
  shared.resume();
  await withOneShared.ping(); // behind the late word
  await pool.commands.rpush('list', 'element');
  await expect(next).resolves.toEqual(['list', 'element']);
  await withOneShared.drain();
});
