import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { useFaultProxy } from '../support/fault-proxy.js';
import { HASTY, RedisLoad } from '../support/redis-load.js';
import { useRedisServer } from '../support/redis-server.js';
import { expectWholeAndDrain } from '../support/redis-whole.js';

jest.setTimeout(60_000);

const SEED = 4_711;

/** Longer than every deadline of the pool. */
const FAULT_MS = 600;

const server = useRedisServer();
const proxy = useFaultProxy(server);

let pool: RedisPool;
let load: RedisLoad;

beforeEach(async () => {
  pool = new RedisPool('cache', { type: 'redis', url: proxy.url, ...HASTY });
  load = new RedisLoad(pool, { seed: SEED });
  await pool.start({ timeoutMs: 10_000 });
  load.start();
  await load.servesEverybody();
});

afterEach(async () => {
  await pool.drain({ timeoutMs: 0 });
  await load.stop();
});

/** Some that are shared, some that are lent and some that are idle. */
const half = () => proxy.connections.filter((_, index) => index % 2 === 0);

/** What each fault does to the network; those that last are ended by heal(). */
const LASTING: [fault: string, begin: () => void][] = [
  ['everything comes late', () => proxy.delay(100)],
  ['replies come late', () => proxy.delay(250, 'toClient')],
  ['nothing comes through', () => proxy.stall()],
  ['no command comes through', () => proxy.stall('toServer')],
  ['no reply comes through', () => proxy.stall('toClient')],
  ['half of the connections are stuck', () => half().forEach((connection) => connection.stall())],
  [
    'connections are refused, and those that were there are gone',
    () => {
      proxy.refuse();
      proxy.reset();
    },
  ],
  [
    'connections are accepted and then silent, and those that were there are gone',
    () => {
      proxy.slowAccept(FAULT_MS);
      proxy.cut();
    },
  ],
];

const BLOWS: [fault: string, strike: () => void][] = [
  ['every connection is closed', () => proxy.cut()],
  ['every connection is reset', () => proxy.reset()],
  ['half of the connections are closed', () => half().forEach((connection) => connection.cut())],
  ['half of the connections are reset', () => half().forEach((connection) => connection.reset())],
  ['every connection is closed in the middle of a reply', () => proxy.partialReply({ bytes: 3 })],
  ['every connection is half-open', () => proxy.halfOpen()],
  ['half of the connections are half-open', () => half().forEach((connection) => connection.halfOpen())],
];

describe('Under a steady load every caller gets its own result or a clear error, and the pool is whole again, after', () => {
  it.each(LASTING)('a time in which %s', async (_fault, begin) => {
    begin();
    await sleep(FAULT_MS);
    await proxy.heal();
    await load.servesEverybody();
    await load.stop();
    expect(load.complaints).toEqual([]);
    await expectWholeAndDrain(pool, { server, proxy, shared: HASTY.shared });
  });

  it.each(BLOWS)('%s', async (_fault, strike) => {
    strike();
    await load.servesEverybody(); // though nothing is healed
    await load.stop();
    expect(load.complaints).toEqual([]);
    await proxy.heal();
    await expectWholeAndDrain(pool, { server, proxy, shared: HASTY.shared });
  });
});
