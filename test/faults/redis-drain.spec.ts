import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { useFaultProxy } from '../support/fault-proxy.js';
import { HASTY, RedisLoad } from '../support/redis-load.js';
import { useRedisServer } from '../support/redis-server.js';
import { expectCounted } from '../support/redis-whole.js';

jest.setTimeout(60_000);

const SEED = 42;

const server = useRedisServer();
const proxy = useFaultProxy(server);

let pool: RedisPool;
let load: RedisLoad;

beforeEach(async () => {
  pool = new RedisPool('cache', { type: 'redis', url: proxy.url, ...HASTY, destroyTimeoutMs: 2_000 });
  load = new RedisLoad(pool, { seed: SEED });
  await pool.start({ timeoutMs: 10_000 });
  load.start();
  await load.servesEverybody();
});

afterEach(async () => {
  server.kill('SIGCONT');
  await pool.drain({ timeoutMs: 0 });
  await load.stop();
});

const FAULTS: [fault: string, begin: () => unknown][] = [
  ['nothing is wrong', () => undefined],
  ['everything comes late', () => proxy.delay(100)],
  ['nothing comes through', () => proxy.stall()],
  ['no reply comes through', () => proxy.stall('toClient')],
  ['every connection is half-open', () => proxy.halfOpen()],
  ['every connection is reset', () => proxy.reset()],
  [
    'connections are refused',
    () => {
      proxy.refuse();
      proxy.reset();
    },
  ],
  ['the server hangs', () => server.kill('SIGSTOP')],
];

describe('A drain under a steady load', () => {
  it.each(FAULTS)('while %s tells every caller, and leaves nothing behind', async (_fault, begin) => {
    begin();
    const drained = pool.drain({ timeoutMs: 200 });
    await expect(drained).resolves.toMatchObject({ closeFailures: 0 });
    await load.stop();
    expect(load.complaints).toEqual([]);
    expect(load.outcomes).toHaveProperty('ERR_POOL_CLOSED');
    expect(pool.stats()).toMatchObject({ size: 0, waiting: 0, state: 'closed' });
    server.kill('SIGCONT');
    await proxy.heal();
    await expectCounted(pool, { server, proxy });
  });
});
