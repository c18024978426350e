// Redis pools on a server that is killed, restarted, stopped and paused, and that closes connections as it likes. Every caller asks
// for something of his own, so that an answer meant for somebody else shows.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisPool } from '../../dist/index.js';
import { startRedisServer } from '../../scripts/redis-server.mjs';
import { attempt, chance, checkCounts, count, crowd, end, Mixup, oneOf, problem, upTo } from './record.mjs';

const CALLERS = 15;
const LIFE_MS = { least: 15_000, more: 15_000 };
const PEACE_MS = { least: 1_000, more: 6_000 };

const OPTIONS = {
  acquireTimeoutMs: 1_000,
  createTimeoutMs: 1_000,
  idleTimeoutMs: 2_000,
  validateAfterIdleMs: 50,
};
const SIZES = [
  { max: 8, shared: 2, min: 1 },
  { max: 4, shared: 0 },
];

/** Above this, connections are left behind. */
export const MOST_CONNECTIONS = SIZES.reduce((sum, { max }) => sum + max, 0);

export async function liveWithRedisPools(isOver) {
  const site = { server: await startRedisServer() };
  await Promise.all([
    trouble(site, isOver),
    ...SIZES.map((sizes) => onePoolAfterTheOther(site, sizes, isOver)),
  ]);
  await site.server.stop();
}

async function onePoolAfterTheOther({ server: { url } }, sizes, isOver) {
  while (!isOver()) {
    count('redis pools');
    const pool = new RedisPool('redis', { type: 'redis', url, ...OPTIONS, ...sizes });
    const until = performance.now() + LIFE_MS.least + upTo(LIFE_MS.more);
    const isOverHere = () => isOver() || performance.now() > until;
    await crowd(CALLERS, isOverHere, (caller, turn) => call(pool, `${sizes.max}:${caller}:${turn}`));
    await end(pool);
  }
}

async function call(pool, own) {
  await attempt('redis', () => oneOf(HABITS)(pool, own));
  checkCounts(pool);
  await sleep(upTo(chance(0.1) ? 50 : 3));
}

/** Each with something of the caller's own. */
const HABITS = [
  async ({ commands }, own) => mine(await commands.echo(own), own),
  async ({ commands }, own) => {
    await commands.set(own, own, 'PX', 1_000);
    mine((await commands.get(own)) ?? own, own); // nothing, when the server was restarted in between
  },
  async ({ commands }, own) => {
    const replies = await commands.pipeline().echo(own).echo(`${own}!`).exec();
    for (const [error, reply] of replies) if (error === null) mine(reply.replace('!', ''), own);
  },
  async ({ commands }, own) => {
    await commands.rpush(own, own);
    const popped = await commands.blpop(own, 0.05);
    mine(popped?.[1] ?? own, own);
  },
  async (pool, own) => mine(await pool.use((redis) => redis.echo(own)), own),
  (pool, own) =>
    pool.use(async (redis) => {
      if (!(await redis.client('INFO')).includes(' db=0 '))
        throw new Mixup('a database that somebody else chose');
      await redis.select(3);
      mine(await redis.echo(own), own);
    }),
  (pool, own) =>
    pool.use(async (redis) => {
      await redis.watch(own);
      const [[, reply]] = await redis.multi().echo(own).exec();
      mine(reply, own);
    }),
  (pool, own) =>
    pool.use((redis) => redis.blpop(own, 0), { signal: AbortSignal.timeout(Math.ceil(upTo(50))) }),
  async (pool, own) => {
    const replies = await pool.transaction([own], (redis) => Promise.resolve(redis.multi().echo(own)), {
      exactlyOnce: chance(0.5),
    });
    if (replies !== null) mine(replies[0][1], own); // it was executed, and the replies were lost
  },
  async (pool, own) => {
    const hears = ({ channel, message }) => mine(`${channel} ${message}`, `${own} ${own}`);
    const news = pool.subscribe(own).subscribe({ next: hears, error: () => count('subscription failed') });
    try {
      for (let time = 0; time < 3; time += 1) {
        await pool.commands.publish(own, own);
        await sleep(upTo(5));
      }
    } finally {
      news.unsubscribe();
    }
  },
  ({ commands }, own) => void commands.echo(own).catch(() => undefined), // does not wait for it
  async (pool) => {
    if ((await pool.ping({ timeoutMs: 200 })) > 1_000) problem('a ping took longer than it may');
  },
];

function mine(answer, own) {
  if (answer !== own) throw new Mixup(`asked for ${own}, got ${answer}`);
}

async function trouble(site, isOver) {
  while (!isOver()) {
    await sleep(PEACE_MS.least + upTo(PEACE_MS.more));
    const kind = oneOf(Object.keys(TROUBLES));
    count(kind);
    await TROUBLES[kind](site).catch((error) => problem(`could not make trouble (${kind}): ${error.stack}`));
  }
}

const TROUBLES = {
  'server restarted': async (site) => {
    const { port } = site.server;
    site.server.kill('SIGKILL');
    await site.server.exited;
    await sleep(upTo(1_500));
    site.server = await startRedisServer({ port });
  },
  'server stopped': async ({ server }) => {
    server.kill('SIGSTOP');
    await sleep(upTo(2_500));
    server.kill('SIGCONT');
  },
  'clients killed': ({ server }) => command(server, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
  'clients paused': ({ server }) => command(server, 'CLIENT', 'PAUSE', Math.ceil(upTo(500)), 'ALL'),
};

async function command({ url }, ...words) {
  const admin = new Redis(url, { lazyConnect: true, retryStrategy: null });
  admin.on('error', () => undefined);
  await admin.connect();
  await admin.call(...words);
  admin.disconnect();
}
