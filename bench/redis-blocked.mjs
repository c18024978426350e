/**
 * GETs of 100 callers with and without 100 BLPOPs that block beside them: `npm run build && node bench/redis-blocked.mjs`.
 *
 * Rounds with and without them take turns in one process against one server. The figure of a round is the throughput beside the blocked
 * ones, divided by that without.
 */
import { Redis } from 'ioredis';
import { RedisPool } from '../dist/index.js';
import { startRedisServer } from '../scripts/redis-server.mjs';
import { callsPerSecond, inTurn, median, report } from './redis-rounds.mjs';

const BLOCKED = 100;
const LOAD = { callers: 100, calls: 40_000 };
const WARM_UP_ROUNDS = 2;
const ROUNDS = Number(process.env.ROUNDS ?? 15);

const server = await startRedisServer();
const raw = new Redis(server.url);
const pool = new RedisPool('bench', { type: 'redis', url: server.url, max: 120, idleTimeoutMs: 0 });
await pool.start();
await raw.set('key', 'a value of some thirty bytes…');

const rates = { 'without any blocked': [], 'beside 100 blocked BLPOPs': [] };
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
  for (const [name, values] of inTurn(Object.entries(rates), round)) {
    const rate = await getsPerSecond(name.startsWith('beside') ? BLOCKED : 0);
    if (round >= 0) values.push(rate);
  }
}

for (const [name, values] of Object.entries(rates)) {
  console.log(`${name.padEnd(26)} ${Math.round(median(values)).toLocaleString('en')} GET/s`);
}
report('beside / without', rates['beside 100 blocked BLPOPs'], rates['without any blocked']);

await pool.drain();
await raw.quit();
await server.stop();

async function getsPerSecond(blocked) {
  const jobs = Array.from({ length: blocked }, () => pool.commands.blpop('jobs', 0));
  while (!(await raw.info('clients')).includes(`blocked_clients:${blocked}`));
  const rate = await callsPerSecond(() => pool.commands.get('key'), LOAD);
  if (blocked > 0) await raw.rpush('jobs', ...jobs.map((_, at) => `job ${at}`));
  await Promise.all(jobs);
  return rate;
}
