import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Redis, ReplyError } from 'ioredis';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';
import { HASTY, RedisLoad } from '../support/redis-load.js';
import { expectWholeAndDrain } from '../support/redis-whole.js';

jest.setTimeout(60_000);

const SEED = 815;

/** Longer than every deadline of the pool. */
const FAULT_MS = 600;

let server: RedisServer;
let pool: RedisPool;
let load: RedisLoad;

beforeEach(async () => {
  server = await startRedisServer();
  pool = new RedisPool('cache', { type: 'redis', url: server.url, ...HASTY });
  load = new RedisLoad(pool, { seed: SEED, mayForget: true });
  await pool.start({ timeoutMs: 10_000 });
  load.start();
  await load.servesEverybody();
});

afterEach(async () => {
  await pool.drain({ timeoutMs: 0 });
  await load.stop();
  await server.stop();
});

/** The server comes back at the same port, and has forgotten everything. */
async function restart(): Promise<void> {
  await server.exited;
  server = await startRedisServer({ port: server.port });
}

/** Says something to the server that a pool would not. */
async function tell(command: string, ...args: string[]): Promise<void> {
  const redis = new Redis(server.url, { retryStrategy: null });
  redis.on('error', () => undefined);
  await redis.call(command, ...args).catch((error: Error) => {
    if (error instanceof ReplyError) throw error; // that it hangs up is an answer
  });
  redis.disconnect();
}

/** Takes so many microseconds. */
const BUSY = `
  local start, now = redis.call('time')
  repeat now = redis.call('time') until (now[1] - start[1]) * 1000000 + now[2] - start[2] > tonumber(ARGV[1])`;

const FAULTS: [fault: string, fail: () => Promise<void>][] = [
  [
    'is killed, and restarted at once',
    async () => {
      server.kill('SIGKILL');
      await restart();
    },
  ],
  [
    'is killed, and restarted after a while',
    async () => {
      server.kill('SIGKILL');
      await sleep(FAULT_MS);
      await restart();
    },
  ],
  [
    'is shut down, and restarted',
    async () => {
      await tell('SHUTDOWN', 'NOSAVE');
      await restart();
    },
  ],
  [
    'hangs, and goes on',
    async () => {
      server.kill('SIGSTOP');
      await sleep(FAULT_MS);
      server.kill('SIGCONT');
    },
  ],
  [
    'hangs, and is killed and restarted',
    async () => {
      server.kill('SIGSTOP');
      await sleep(FAULT_MS);
      server.kill('SIGKILL');
      await restart();
    },
  ],
  ['closes every connection', () => tell('CLIENT', 'KILL', 'TYPE', 'normal')],
  [
    'answers nobody for a while',
    async () => {
      await tell('CLIENT', 'PAUSE', String(FAULT_MS), 'ALL');
      await sleep(FAULT_MS);
    },
  ],
  ['is busy with one command for a while', () => tell('EVAL', BUSY, '0', String(FAULT_MS * 1_000))],
];

describe('Under a steady load every caller gets its own result or a clear error, and the pool is whole again, after the server', () => {
  it.each(FAULTS)('%s', async (_fault, fail) => {
    await fail();
    await load.servesEverybody();
    await load.stop();
    expect(load.complaints).toEqual([]);
    await expectWholeAndDrain(pool, { server, shared: HASTY.shared });
  });
});
