/**
 * Small GETs beside two callers that read values of 8 MiB over and over: `npm run build && node bench/redis-large-replies.mjs`.
 *
 * One raw ioredis connection, which all of them share, and a pool with three shared connections take turns in one process against one
 * server. The figure of a round is the median latency of the small GETs, that of the pool divided by that of the connection.
 */
import { Redis } from 'ioredis';
import { RedisPool } from '../dist/index.js';
import { startRedisServer } from '../scripts/redis-server.mjs';
import { inTurn, median, quantile, report } from './redis-rounds.mjs';

const SMALL_CALLERS = 10;
const LARGE_CALLERS = 2;
const LARGE_BYTES = 8 * 1_024 * 1_024;
const ROUND_MS = 500;
const ROUNDS = Number(process.env.ROUNDS ?? 10);

const server = await startRedisServer();
const raw = new Redis(server.url);
const pool = new RedisPool('bench', { type: 'redis', url: server.url, shared: 3 });
await pool.start();
await raw.mset('small', 'a value of some thirty bytes…', 'large', Buffer.alloc(LARGE_BYTES, 'x'));

const contestants = { raw, pool: pool.commands };
const p50 = { raw: [], pool: [] };
const p99 = { raw: [], pool: [] };
for (let round = -1; round < ROUNDS; round += 1) {
  for (const [name, redis] of inTurn(Object.entries(contestants), round)) {
    const latencies = await latenciesOf(redis);
    if (round < 0) continue;
    p50[name].push(median(latencies));
    p99[name].push(quantile(latencies, 0.99));
  }
}

for (const name of Object.keys(contestants)) {
  console.log(
    `${name.padEnd(6)} p50 ${median(p50[name]).toFixed(2)} ms, p99 ${median(p99[name]).toFixed(2)} ms`,
  );
}
report('p50, pool / raw', p50.pool, p50.raw);

await pool.drain();
await raw.quit();
await server.stop();

/** Of every small GET of a round, in milliseconds. */
async function latenciesOf(redis) {
  const latencies = [];
  const endsAt = performance.now() + ROUND_MS;
  const repeat = async (work) => {
    while (performance.now() < endsAt) await work();
  };
  const readSmall = async () => {
    const startedAt = performance.now();
    await redis.get('small');
    latencies.push(performance.now() - startedAt);
  };
  await Promise.all([
    ...Array.from({ length: LARGE_CALLERS }, () => repeat(() => redis.getBuffer('large'))),
    ...Array.from({ length: SMALL_CALLERS }, () => repeat(readSmall)),
  ]);
  return latencies;
}
