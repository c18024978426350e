/* global AbortSignal */
// Ten minutes of mixed work with faults, and nothing may grow: `npm run soak` (SOAK_MINUTES=1 for a short one).
//
// Pools with an unreliable factory are used by callers who wait, give up, forget to release, release twice, throw and abort, while the
// factory fails, hangs and loses resources, and the pools are resized, suspended and replaced. Each minute prints what is left after a
// garbage collection. Exits with 1 when a resource was in two hands, when a caller never heard, or when heap or handles grew.
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PoolError, ResourcePool } from '../dist/index.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const MINUTES = Number(process.env.SOAK_MINUTES ?? 10);
const REPORTS = 10;
const CALLERS = 60;
/** The heap after the first tenth holds everything that is kept for good; later it may sway by this much. */
const MOST_GROWTH_MB = 5;

/** What went wrong, each sort once. */
const problems = new Set();
const counts = { asked: 0, served: 0, refused: 0, created: 0, destroyed: 0, pools: 0 };
const errors = {};
let onTheWay = 0;
let stopping = false;

process.on('unhandledRejection', (reason) => problems.add(`unhandled rejection: ${reason}`));

const chance = (share) => Math.random() < share;
const upTo = (ms) => Math.random() * ms;

/** Opens things that cost nothing, badly. `mood` is how badly: 0 to 1. */
function unreliableFactory() {
  const factory = {
    mood: 0,
    live: new Set(),
    async create(signal) {
      if (chance(factory.mood * 0.02)) throw new Error('synchronous as far as the pool can tell');
      if (chance(factory.mood * 0.02)) await sleep(60_000, undefined, { signal });
      await sleep(upTo(5));
      if (chance(factory.mood * 0.5)) throw new Error('ECONNREFUSED');
      const resource = { holders: 0, broken: undefined };
      factory.live.add(resource);
      counts.created += 1;
      return resource;
    },
    async destroy(resource) {
      await sleep(upTo(3));
      factory.live.delete(resource);
      counts.destroyed += 1;
      if (chance(factory.mood * 0.1)) throw new Error('it did not want to go');
    },
    validate: (resource) =>
      chance(0.5) ? !chance(factory.mood * 0.2) : sleep(1).then(() => resource.holders === 0),
    reset: () => (chance(0.5) ? 'keep' : sleep(1).then(() => (chance(0.05) ? 'discard' : 'keep'))),
    watch(resource, broken) {
      resource.broken = broken;
    },
    loseOne() {
      const [resource] = factory.live;
      resource?.broken?.(new Error('socket closed'));
    },
  };
  return factory;
}

const OPTIONS = {
  max: 8,
  min: 1,
  acquireTimeoutMs: 200,
  createTimeoutMs: 300,
  destroyTimeoutMs: 200,
  idleTimeoutMs: 100,
  maxLifetimeMs: 3_000,
  maxUses: 200,
  validateAfterIdleMs: 20,
  keepAliveMs: 50,
  leakThresholdMs: 2_000,
};

/** Holds a resource for a moment, and complains when somebody else has it, too. */
async function hold(resource) {
  resource.holders += 1;
  if (resource.holders > 1) problems.add('a resource is in two hands');
  await sleep(upTo(4));
  resource.holders -= 1;
}

/** What one caller does once with a pool. */
const HABITS = [
  (pool) => pool.use(hold),
  (pool) => pool.use(hold, { priority: 'low', timeoutMs: 1_000 }),
  (pool) => pool.use(() => Promise.reject(new Error('of my own'))).catch(ignoreMine),
  (pool) => pool.use(hold, { signal: AbortSignal.timeout(Math.ceil(upTo(20))) }),
  async (pool) => {
    const lease = await pool.acquire({ priority: 'high' });
    await hold(lease.resource);
    await Promise.all([lease.release(), lease.release()]);
  },
  async (pool) => {
    const lease = await pool.acquire();
    await lease.destroy('for a change');
    await lease.release();
  },
  (pool) => pool.use(() => pool.use(hold, { timeoutMs: 50 })),
  (pool) => (chance(0.02) ? pool.acquire().then(() => undefined) : pool.use(hold)), // forgets to release
];

function ignoreMine(error) {
  if (error.message !== 'of my own') throw error;
}

async function ask(pool) {
  counts.asked += 1;
  onTheWay += 1;
  try {
    await HABITS[Math.floor(Math.random() * HABITS.length)](pool);
    counts.served += 1;
  } catch (error) {
    counts.refused += 1;
    const kind = error instanceof PoolError ? error.code : error.name;
    errors[kind] = (errors[kind] ?? 0) + 1;
    if (!(error instanceof PoolError) && error.name !== 'TimeoutError')
      problems.add(`unexpected ${error.name}: ${error.message}`);
  } finally {
    onTheWay -= 1;
  }
}

/** One pool after the other, each for a few seconds of mixed work and faults. */
async function liveWithPools() {
  while (!stopping) {
    counts.pools += 1;
    const factory = unreliableFactory();
    const pool = new ResourcePool(`p${counts.pools}`, factory, {
      ...OPTIONS,
      order: chance(0.5) ? 'lifo' : 'fifo',
    });
    const until = performance.now() + 5_000 + upTo(5_000);
    const isOver = () => stopping || performance.now() > until;
    await Promise.all([
      ...Array.from({ length: CALLERS }, () => callAgainAndAgain(pool, isOver)),
      meddle(pool, factory, isOver),
    ]);
    await end(pool);
  }
}

async function callAgainAndAgain(pool, isOver) {
  while (!isOver()) {
    await ask(pool);
    if (chance(0.3)) await sleep(upTo(10));
  }
}

async function meddle(pool, factory, isOver) {
  while (!isOver()) {
    await sleep(upTo(200));
    factory.mood = chance(0.3) ? Math.random() : 0;
    if (chance(0.3)) factory.loseOne();
    if (chance(0.2)) pool.resize({ max: 1 + Math.floor(upTo(12)) });
    if (chance(0.1)) pool.suspend();
    await sleep(upTo(50));
    pool.resume();
    const { size, idle, leased, creating, closing } = pool.stats();
    if (idle + leased + creating + closing !== size) problems.add('the counts do not add up');
  }
}

async function end(pool) {
  await pool.drain({ timeoutMs: 1_000 });
  const { size, waiting, state } = pool.stats();
  if (size + waiting > 0 || state !== 'closed')
    problems.add(`left after the drain: ${size} resources, ${waiting} waiting`);
}

async function measure() {
  for (let each = 0; each < 3; each += 1) {
    collectGarbage();
    await sleep(20);
  }
  return { heapMb: process.memoryUsage().heapUsed / 1e6, rssMb: process.memoryUsage().rss / 1e6 };
}

const handles = () => process.getActiveResourcesInfo().length;
const handlesBefore = handles();
const lives = [liveWithPools(), liveWithPools(), liveWithPools()];
const heaps = [];
for (let report = 1; report <= REPORTS; report += 1) {
  await sleep((MINUTES / REPORTS) * 60_000);
  const { heapMb, rssMb } = await measure();
  heaps.push(heapMb);
  console.log(
    `${((report * MINUTES) / REPORTS).toFixed(1)} min: heap ${heapMb.toFixed(1)} MB, rss ${rssMb.toFixed(0)} MB, handles ${handles()}, ${JSON.stringify(counts)}`,
  );
}
stopping = true;
await Promise.all(lives);
await sleep(500);
const { heapMb } = await measure();
console.log(`at the end: heap ${heapMb.toFixed(1)} MB, handles ${handles()} (before: ${handlesBefore})`);
console.log(`refused with ${JSON.stringify(errors)}`);

const growth = Math.max(...heaps.slice(1)) - heaps[0];
if (growth > MOST_GROWTH_MB) problems.add(`the heap grew by ${growth.toFixed(1)} MB after the first tenth`);
if (handles() > handlesBefore) problems.add(`handles left: ${process.getActiveResourcesInfo()}`);
if (onTheWay > 0) problems.add(`${onTheWay} callers never heard`);
for (const problem of problems) console.error(problem);
if (problems.size > 0) process.exitCode = 1;
