/**
 * `commands.get` beside one raw ioredis connection, with 100 concurrent callers: `npm run build && node bench/redis-throughput.mjs`.
 *
 * Both run by turns in one process against one server, so that what slows the machine slows both. Each round's ratio is ours to the
 * raw one beside it; the median is the figure, the range tells how far to trust it.
 */
import { Redis } from 'ioredis';
import { RedisPool } from '../dist/index.js';
import { startRedisServer } from '../scripts/redis-server.mjs';

const CALLERS = 100;
const CALLS_PER_ROUND = 40_000;
const WARM_UP_ROUNDS = 4;
const ROUNDS = Number(process.env.ROUNDS ?? 25);

const server = await startRedisServer();
const raw = new Redis(server.url);
const pool = new RedisPool('bench', { type: 'redis', url: server.url });
await pool.start();
await raw.set('key', 'a value of some thirty bytes…');

const contestants = { raw: () => raw.get('key'), 'commands.get': () => pool.commands.get('key') };

const rates = { raw: [], 'commands.get': [] };
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
  for (const [name, get] of inTurn(Object.entries(contestants), round)) {
    const rate = await callsPerSecond(get);
    if (round >= 0) rates[name].push(rate);
  }
}

const ratios = rates.raw.map((rate, round) => rates['commands.get'][round] / rate);
for (const [name, values] of Object.entries(rates)) {
  console.log(`${name.padEnd(14)} ${Math.round(median(values)).toLocaleString('en')} GET/s`);
}
console.log(
  `ratio          ${median(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}, ${ROUNDS} rounds)`,
);

await pool.drain();
await raw.quit();
await server.stop();

async function callsPerSecond(call) {
  let left = CALLS_PER_ROUND;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (left > 0) {
        left -= 1;
        await call();
      }
    }),
  );
  return (CALLS_PER_ROUND / (performance.now() - startedAt)) * 1_000;
}

/** Neither always goes first. */
function inTurn(entries, round) {
  return round % 2 === 0 ? entries : entries.toReversed();
}

function median(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
