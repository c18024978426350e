import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { random } from '../../lib/compression/payloads.fake.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';
import type { Faults } from '../support/fault-proxy.connection.js';
import { useFaultProxy } from '../support/fault-proxy.js';
import { HASTY, RedisLoad } from '../support/redis-load.js';
import { expectWholeAndDrain } from '../support/redis-whole.js';

jest.setTimeout(120_000);

const SEED = 1_789;
const FAULTS = 30;
const LONGEST_FAULT_MS = 500;

/** Everything that happens, and how long it lasts, follows from the seed; whom it hits is the machine's affair. */
const chance = random(SEED);
const upTo = (limit: number): number => Math.floor(chance() * limit);

let server: RedisServer;
let pool: RedisPool;
let load: RedisLoad;

const proxy = useFaultProxy({
  get port() {
    return server.port;
  },
});

beforeEach(async () => {
  server = await startRedisServer();
  pool = new RedisPool('cache', { type: 'redis', url: proxy.url, ...HASTY });
  load = new RedisLoad(pool, { seed: SEED, mayForget: true });
  await pool.start({ timeoutMs: 10_000 });
  load.start();
});

afterEach(async () => {
  await pool.drain({ timeoutMs: 0 });
  await load.stop();
  await server.stop();
});

/** Every connection at once, or one of them. */
function victim(): Faults {
  const { connections } = proxy;
  return chance() < 0.3 ? proxy : (connections[upTo(connections.length)] ?? proxy);
}

const HAPPENS: ((lastsMs: number) => unknown)[] = [
  () => victim().delay(upTo(300)),
  () => victim().stall(),
  () => victim().stall('toServer'),
  () => victim().stall('toClient'),
  () => victim().cut(),
  () => victim().reset(),
  () => victim().halfOpen(),
  () => victim().partialReply({ bytes: upTo(40) }),
  () => proxy.slowAccept(upTo(1_000)),
  () => proxy.refuse(),
  async (lastsMs) => {
    server.kill('SIGSTOP');
    await sleep(lastsMs);
    server.kill('SIGCONT');
  },
  async () => {
    server.kill('SIGKILL');
    await server.exited;
    server = await startRedisServer({ port: server.port });
  },
];

it(`Whatever happens in whatever order, every caller gets its own result or a clear error, and the pool is whole in the end`, async () => {
  await load.servesEverybody();
  for (let count = 0; count < FAULTS; count += 1) {
    const lastsMs = upTo(LONGEST_FAULT_MS);
    await HAPPENS[upTo(HAPPENS.length)]!(lastsMs);
    await sleep(lastsMs);
    if (chance() < 0.6) await proxy.heal(); // or the next fault comes on top
  }
  await proxy.heal();
  await load.servesEverybody();
  await load.stop();
  expect(load.complaints).toEqual([]);
  await expectWholeAndDrain(pool, { server, proxy, shared: HASTY.shared });
});
