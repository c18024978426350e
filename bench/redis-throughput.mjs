/**
 * `commands` and `use()` beside their rivals, at 100 and 1,000 callers, GET and SET of 100 bytes: `npm run bench` installs the rivals, or
 * `npm ci --prefix bench && npm run build && node bench/redis-throughput.mjs`.
 *
 * All take turns in one process against one server, so that what slows the machine slows all. Each round's ratio is ours to the rival's
 * beside it; the median is the figure, the range tells how far to trust it.
 */
import { createClientPool } from '@redis/client';
import { createPool } from 'generic-pool';
import { Redis } from 'ioredis';
import { RedisPool } from '../dist/index.js';
import { startRedisServer } from '../scripts/redis-server.mjs';
import { callsPerSecond, inTurn, median, report } from './redis-rounds.mjs';

const CONNECTIONS = 10;
const CALLS_PER_ROUND = 20_000;
const WARM_UP_ROUNDS = 3;
const ROUNDS = Number(process.env.ROUNDS ?? 15);
const VALUE = 'x'.repeat(100);

const server = await startRedisServer();
const raw = new Redis(server.url);
const shared = new RedisPool('shared', { type: 'redis', url: server.url });
const leases = new RedisPool('leases', { type: 'redis', url: server.url, max: CONNECTIONS, shared: 0 });
const unwatched = new RedisPool('unwatched', {
  type: 'redis',
  url: server.url,
  max: CONNECTIONS,
  shared: 0,
  detectDeadlocks: false,
});
const generic = createPool(
  { create: () => Promise.resolve(new Redis(server.url)), destroy: (client) => client.quit() },
  { max: CONNECTIONS },
);
const nodeRedis = createClientPool({ url: server.url }, { minimum: CONNECTIONS, maximum: CONNECTIONS });
await Promise.all([shared.start(), nodeRedis.connect()]);
await raw.set('key', VALUE);

/** How each of them does a piece of work with a client of ioredis, or of its own. */
const contestants = {
  'raw connection': (work) => work(raw),
  commands: (work) => work(shared.commands),
  'use()': (work) => leases.use(work),
  'use(), detectDeadlocks: false': (work) => unwatched.use(work),
  'generic-pool + ioredis': async (work) => {
    const client = await generic.acquire();
    try {
      return await work(client);
    } finally {
      generic.release(client);
    }
  },
  "node-redis' pool": (work) => work(nodeRedis),
};

const RATIOS = [
  ['commands', 'raw connection'],
  ['commands', 'generic-pool + ioredis'],
  ['commands', "node-redis' pool"],
  ['use()', 'generic-pool + ioredis'],
  ['use(), detectDeadlocks: false', 'generic-pool + ioredis'],
];

const works = { GET: (client) => client.get('key'), SET: (client) => client.set('key', VALUE) };

for (const callers of [100, 1_000]) {
  for (const [command, work] of Object.entries(works)) await compare(command, work, callers);
}

await Promise.all([shared.drain(), leases.drain(), unwatched.drain(), raw.quit(), nodeRedis.close()]);
await generic.drain();
await generic.clear();
await server.stop();

async function compare(command, work, callers) {
  const rates = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    for (const [name, by] of inTurn(Object.entries(contestants), round)) {
      const rate = await callsPerSecond(() => by(work), { callers, calls: CALLS_PER_ROUND });
      if (round >= 0) rates[name].push(rate);
    }
  }
  console.log(`\n${command} of 100 bytes, ${callers.toLocaleString('en')} callers`);
  for (const [name, values] of Object.entries(rates)) {
    console.log(`  ${name.padEnd(42)} ${Math.round(median(values)).toLocaleString('en')} per second`);
  }
  for (const [ours, rival] of RATIOS) report(`  ${ours} / ${rival}`, rates[ours], rates[rival]);
}
