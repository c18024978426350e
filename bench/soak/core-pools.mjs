// Pools of things that cost nothing, from a factory that fails, hangs and loses them, and callers who give up, forget to release,
// release twice, throw and abort; while the pools are resized, suspended and replaced.
import { setTimeout as sleep } from 'node:timers/promises';
import { ResourcePool } from '../../dist/index.js';
import { attempt, chance, checkCounts, count, crowd, end, oneOf, problem, upTo } from './record.mjs';

const POOLS_AT_ONCE = 3;
const CALLERS = 40;
const LIFE_MS = { least: 5_000, more: 5_000 };

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

export async function liveWithCorePools(isOver) {
  await Promise.all(Array.from({ length: POOLS_AT_ONCE }, () => onePoolAfterTheOther(isOver)));
}

async function onePoolAfterTheOther(isOver) {
  while (!isOver()) {
    count('core pools');
    const factory = new UnreliableFactory();
    const pool = new ResourcePool('core', factory, { ...OPTIONS, order: oneOf(['lifo', 'fifo']) });
    const until = performance.now() + LIFE_MS.least + upTo(LIFE_MS.more);
    const isOverHere = () => isOver() || performance.now() > until;
    await Promise.all([crowd(CALLERS, isOverHere, () => call(pool)), meddle(pool, factory, isOverHere)]);
    await end(pool);
  }
}

async function call(pool) {
  await attempt('core', () => oneOf(HABITS)(pool));
  if (chance(0.3)) await sleep(upTo(10));
}

const HABITS = [
  (pool) => pool.use(hold),
  (pool) => pool.use(hold, { priority: 'low', timeoutMs: 1_000 }),
  (pool) => pool.use(() => Promise.reject(new Error('of my own'))),
  (pool) => pool.use(hold, { signal: AbortSignal.timeout(Math.ceil(upTo(20))) }),
  (pool) => pool.use(() => pool.use(hold, { timeoutMs: 50 })),
  (pool) => (chance(0.02) ? pool.acquire().then(() => undefined) : pool.use(hold)), // forgets to release
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
];

/** Holds a resource for a moment, and complains when somebody else has it, too. */
async function hold(resource) {
  resource.holders += 1;
  if (resource.holders > 1) problem('a resource is in two hands');
  await sleep(upTo(4));
  resource.holders -= 1;
}

/** Opens things that cost nothing, badly. `mood` is how badly: 0 to 1. */
class UnreliableFactory {
  mood = 0;
  live = new Set();

  create(signal) {
    if (chance(this.mood * 0.02)) throw new Error('on the spot');
    if (chance(this.mood * 0.02)) return sleep(60_000, undefined, { signal });
    return sleep(upTo(5)).then(() => this.#open());
  }

  #open() {
    if (chance(this.mood * 0.5)) throw new Error('ECONNREFUSED');
    const resource = { holders: 0 };
    this.live.add(resource);
    return resource;
  }

  async destroy(resource) {
    await sleep(upTo(3));
    this.live.delete(resource);
    if (chance(this.mood * 0.1)) throw new Error('it did not want to go');
  }

  validate(resource) {
    return chance(0.5) ? !chance(this.mood * 0.2) : sleep(1).then(() => resource.holders === 0);
  }

  reset() {
    return chance(0.5) ? 'keep' : sleep(1).then(() => (chance(0.05) ? 'discard' : 'keep'));
  }

  watch(resource, broken) {
    resource.break = () => broken(new Error('socket closed'));
  }

  loseOne() {
    const [resource] = this.live;
    resource?.break?.();
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
    checkCounts(pool);
  }
}
