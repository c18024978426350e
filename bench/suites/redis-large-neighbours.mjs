import { quantile } from 'simple-statistics';
import { expectEqual } from '../harness/rounds.mjs';
import { contendersOf, defineSuite } from '../harness/suite.mjs';
import { genericPool, glide, nodeRedisPool, ourCommands, rawConnection } from './support/redis-clients.mjs';
import { KEYS, prove, startServer, VALUES } from './support/redis-values.mjs';

const LARGE_BYTES = 8 * 1_024 * 1_024;
const LARGE_CALLERS = 2;
const SMALL_CALLERS = 10;
/** Shorter rounds tell nothing: there would be too few large values in them. */
const LEAST_MS = 400;

/**
 * The buffers of a large value make V8 collect its garbage, the more often the more a process has loaded. All of them load the same,
 * or those would be ahead that have the smallest program around them.
 */
const loadApplication = () => import('../../dist/index.js');

async function play(open, _scenario, { url, roundMs }) {
  await loadApplication();
  const client = await open(url);
  await prove(client);
  return () => readSideBySide(client, Math.max(LEAST_MS, roundMs));
}

/** How long small values take beside large ones, in milliseconds, and how many of the large ones there were. */
async function readSideBySide(client, ms) {
  const latencies = [];
  let large = 0;
  const startedAt = performance.now();
  const repeat = async (read) => {
    do await read();
    while (performance.now() - startedAt < ms);
  };
  const readLarge = async () => {
    const { length } = await client.getBytes('large');
    expectEqual(length, LARGE_BYTES);
    large += 1;
  };
  const readSmall = async () => {
    const askedAt = performance.now();
    expectEqual(await client.get(KEYS[0]), VALUES[0]);
    latencies.push(performance.now() - askedAt);
  };
  await Promise.all([
    ...Array.from({ length: LARGE_CALLERS }, () => repeat(readLarge)),
    ...Array.from({ length: SMALL_CALLERS }, () => repeat(readSmall)),
  ]);
  const [p50, p99] = quantile(latencies, [0.5, 0.99]);
  return { p50, p99, largePerSecond: (large / (performance.now() - startedAt)) * 1_000 };
}

const ours = (shared) =>
  ourCommands({
    how: `\`new RedisPool(name, { type: 'redis', url, shared: ${shared} })\`, \`commands\``,
    shared,
  });

/** With a client for each kind of value, as its documentation advises. */
const glideTwice = {
  how: 'the same, and another client for the large values',
  source: glide.source,
  open: async (url) => {
    const [small, large] = await Promise.all([glide.open(url), glide.open(url)]);
    return { ...small, getBytes: large.getBytes };
  },
};

export default defineSuite({
  name: 'redis-large-neighbours',
  title: 'Small values beside large ones',
  about:
    `How long ${SMALL_CALLERS} callers wait for values of 100 bytes while ${LARGE_CALLERS} others read values of 8 MiB over and over: ` +
    'replies come in order, so that a large one holds up whatever is behind it on its connection. Less is better; and the large ones are ' +
    'not to be starved for it. All have loaded NestJS, as in an application.',
  metrics: [
    { key: 'p50', title: 'p50 ms', digits: 2 },
    { key: 'p99', title: 'p99 ms', digits: 2 },
    { key: 'largePerSecond', title: 'large values/s' },
  ],
  baseline: 'raw connection',
  rounds: 9,
  warmUpRounds: 2,
  start: () => startServer({ large: Buffer.alloc(LARGE_BYTES, 'x') }),
  contenders: contendersOf(
    {
      'raw connection': rawConnection,
      'nestjs-pool, shared: 1': ours(1),
      'nestjs-pool, shared: 3': ours(3),
      'nestjs-pool, shared: 9': ours(9),
      'generic-pool + ioredis': genericPool(),
      'node-redis, pool': nodeRedisPool(),
      'valkey-glide': glide,
      'valkey-glide, a client for each': glideTwice,
    },
    play,
  ),
  scenarios: [{ name: 'GETs of 100 bytes beside GETs of 8 MiB' }],
  expectations: [{ of: () => true, ours: 'nestjs-pool, shared: 3', rival: 'raw connection', atMost: 0.7 }],
});
