import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { contendersOf, defineSuite } from '../harness/suite.mjs';
import { POOLS } from './support/pools.mjs';

const MOST_POOLS = 100;
const RESOURCES = 10;
const CALLERS_OF_EACH = 20;
const WARM_UP_MS = 200;
const SETTLE_MS = 100;
const IDLE_MS = 1_000;

const factory = { create: async () => ({}), destroy: async () => undefined };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

function heapBytes() {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** A pool with all its resources. */
async function openFilled(openPool) {
  const pool = await openPool(factory, { min: RESOURCES, max: RESOURCES });
  const visits = Array.from({ length: RESOURCES }, () => pool.visit(() => sleep(1)));
  const { size } = new Set(await Promise.all(visits));
  if (size !== RESOURCES) throw new Error(`${size} resources, in place of ${RESOURCES}`);
  return pool;
}

/** What the code takes, and what is compiled of it, is no part of the heap of a pool. */
async function warmUp(openPool) {
  const pool = await openFilled(openPool);
  await nanosecondsPerVisit([pool], WARM_UP_MS);
  await pool.close();
}

async function open(openPool, { pools }, { roundMs }) {
  await warmUp(openPool);
  const { opened, heapKb } = await weighed(() => openFilled(openPool));
  await Promise.all(opened.splice(pools).map(({ close }) => close()));
  return async () => {
    await nanosecondsPerVisit(opened, WARM_UP_MS); // the second of rest has cooled everything down
    const nanoseconds = await nanosecondsPerVisit(opened, roundMs);
    return { nanoseconds, idleMs: await idleCpuMs(), heapKb };
  };
}

/** One pool alone is too little to be weighed. */
async function weighed(openOne) {
  const before = heapBytes();
  const opened = await Promise.all(Array.from({ length: MOST_POOLS }, openOne));
  return { opened, heapKb: (heapBytes() - before) / MOST_POOLS / 1_000 };
}

/** All pools are visited by all of their callers at once. */
async function nanosecondsPerVisit(pools, ms) {
  let count = 0;
  const startedAt = performance.now();
  for (; performance.now() - startedAt < ms; count += pools.length * CALLERS_OF_EACH) {
    await Promise.all(pools.flatMap(({ visit }) => Array.from({ length: CALLERS_OF_EACH }, () => visit())));
  }
  return ((performance.now() - startedAt) / count) * 1e6;
}

async function idleCpuMs() {
  await sleep(SETTLE_MS);
  const before = process.cpuUsage();
  await sleep(IDLE_MS);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

export default defineSuite({
  name: 'growth-pools',
  title: 'Many pools in one process',
  about:
    `So many pools of ${RESOURCES} resources each, all visited by ${CALLERS_OF_EACH} callers at once; then nobody comes for a second, in ` +
    'which a pool should cost nothing. The heap is what a pool takes with its resources, which are empty objects; it is always weighed ' +
    `with ${MOST_POOLS} of them.`,
  metrics: [
    { key: 'nanoseconds', title: 'ns per visit' },
    { key: 'idleMs', title: 'CPU ms in an idle second', digits: 2 },
    { key: 'heapKb', title: 'KB of heap per pool', digits: 1 },
  ],
  baseline: 'generic-pool',
  curve: { x: 'pools', metric: ['nanoseconds', 'idleMs'] },
  rounds: 5,
  warmUpRounds: 0,
  contenders: contendersOf(POOLS, open),
  scenarios: [1, 10, MOST_POOLS].map((pools) => ({
    name: `${pools} ${pools === 1 ? 'pool' : 'pools'}`,
    x: pools,
    pools,
  })),
});
