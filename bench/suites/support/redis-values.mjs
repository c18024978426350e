import { startRedisServer } from '../../../scripts/redis-server.mjs';
import { expectEqual, throughput } from '../../harness/rounds.mjs';

const BYTES = 100;

/** Ten, so that a reply that went to the wrong caller is noticed. */
export const KEYS = Array.from({ length: 10 }, (_, nth) => `key:${nth}`);
export const VALUES = KEYS.map((key) => key.padEnd(BYTES, '.'));

export const named = (callers) => `${callers.toLocaleString('en')} ${callers === 1 ? 'caller' : 'callers'}`;

/** A server that has them, and more, as a suite starts it. */
export async function startServer(more = {}) {
  const server = await startRedisServer();
  const { Redis } = await import('ioredis');
  const redis = new Redis(server.url);
  await redis.mset({ ...more, ...Object.fromEntries(KEYS.map((key, nth) => [key, VALUES[nth]])) });
  await redis.quit();
  const { url, port, stop } = server;
  return { context: { url, port }, stop };
}

/** What callers ask of a client again and again, and what must come of it. */
export const WORKS = {
  GET: {
    call: (client) => (nth) => client.get(KEYS[nth % KEYS.length]),
    check: (value, nth) => expectEqual(value, VALUES[nth % KEYS.length]),
  },
  SET: {
    call: (client) => (nth) => client.set(KEYS[nth % KEYS.length], VALUES[nth % KEYS.length]),
    check: (answer) => expectEqual(answer, 'OK'),
  },
  'a pipeline of 10 GETs': {
    call: (client) => () => client.getAll(KEYS),
    check: (values) => values.forEach((value, nth) => expectEqual(value, VALUES[nth])),
  },
};

/** It reads what it wrote, and each caller gets their own. */
export async function prove(client) {
  const proof = `written by ${process.pid}`;
  await client.set('proof', proof);
  expectEqual(await client.get('proof'), proof);
  const values = await Promise.all(KEYS.map((key) => client.get(key)));
  values.forEach((value, nth) => expectEqual(value, VALUES[nth]));
}

/** The rounds of a client that so many callers ask for a work, once it was proved. */
export async function workingRounds(client, { work = 'GET', callers, roundMs }) {
  await prove(client);
  const { call, check } = WORKS[work];
  return throughput(call(client), { callers, roundMs, check });
}
