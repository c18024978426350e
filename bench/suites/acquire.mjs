import { defineSuite } from '../harness/suite.mjs';
import { POOLS } from './support/pools.mjs';

const MAX = 10;
const CALLERS = 1_000;
/** So many visits between two looks at the clock, where one caller makes them. */
const VISITS = 500;
const DEADLINE_MS = 5_000;

const factory = { create: async () => ({}), destroy: async () => undefined };

async function openOurs(options) {
  const { ResourcePool } = await import('../../dist/core/resource-pool.js');
  return new ResourcePool('bench', factory, { max: MAX, ...options });
}

/** Takes a lease and gives it back. */
const visitByLease = (pool, options) => async () => {
  const lease = await pool.acquire(options);
  const { resource } = lease;
  await lease.release();
  return resource;
};

/** As requests do, each caller has a signal of its own. */
function visitWithSignals(pool) {
  const signals = Array.from({ length: CALLERS }, () => new AbortController().signal);
  const visits = signals.map((signal) => visitByLease(pool, { signal }));
  let next = 0;
  return () => visits[next++ % CALLERS]();
}

const noSignals = ({ signals }) => (signals === true ? 'knows no signals' : undefined);

/** One of the others; where callers have a deadline, all three call it the same. */
const rival = (name, missing) => ({
  how: `${POOLS[name].how}; with a deadline, \`acquireTimeoutMillis: ${DEADLINE_MS}\``,
  source: POOLS[name].source,
  missing,
  visit: async ({ deadline }) => {
    const options = deadline ? { acquireTimeoutMillis: DEADLINE_MS } : {};
    const { visit } = await POOLS[name].open(factory, { min: 0, max: MAX, ...options });
    return visit;
  },
});

const contenders = {
  'generic-pool': rival('generic-pool'), // beside signals, which it does not know, without one
  tarn: rival('tarn', noSignals),
  'lightning-pool': rival('lightning-pool', noSignals),
  'nestjs-pool': {
    how: '`new ResourcePool(name, factory, { max: 10 })`, whose callers have a deadline of 5 s by default; with a deadline or a signal, `acquire({ timeoutMs: 5000 })` or `acquire({ signal })`',
    source: 'README.md#options-of-a-pool',
    visit: async ({ deadline, signals }) => {
      const pool = await openOurs();
      if (signals) return visitWithSignals(pool);
      return visitByLease(pool, deadline ? { timeoutMs: DEADLINE_MS } : undefined);
    },
  },
  'nestjs-pool, use()': {
    how: 'the same, `use(task)`',
    source: 'README.md#leases',
    missing: ({ deadline, signals }) => (deadline || signals ? 'as acquire()' : undefined),
    visit: async () => {
      const pool = await openOurs();
      return () => pool.use(async (resource) => resource);
    },
  },
  'nestjs-pool, leakThresholdMs': {
    how: 'the same, with `leakThresholdMs: 60000`, which keeps the stack of each `acquire()`',
    source: 'README.md#options-of-a-pool',
    missing: ({ deadline, signals }) => (deadline || signals ? 'as without them' : undefined),
    visit: async () => visitByLease(await openOurs({ leakThresholdMs: 60_000 })),
  },
};

/** What one visit takes, in rounds of one caller or of many at once. */
async function open(visit, { contended }, roundMs) {
  const taken = await Promise.all(Array.from({ length: MAX }, () => visit()));
  if (taken.some((resource) => typeof resource !== 'object')) throw new Error('no resource was lent');
  const turn = contended
    ? async () => void (await Promise.all(Array.from({ length: CALLERS }, () => visit())))
    : async () => {
        for (let each = 0; each < VISITS; each += 1) await visit();
      };
  const perTurn = contended ? CALLERS : VISITS;
  return async () => {
    let visits = 0;
    const startedAt = performance.now();
    for (; performance.now() - startedAt < roundMs; visits += perTurn) await turn();
    return { nanoseconds: ((performance.now() - startedAt) / visits) * 1e6 };
  };
}

export default defineSuite({
  name: 'acquire',
  title: 'Acquire and release',
  about:
    'What it takes to lend a resource and to take it back, with resources that cost nothing: one caller after the other (nobody else ' +
    'about), and 1,000 callers at once on 10 resources. Less is better.',
  metrics: [{ key: 'nanoseconds', title: 'ns per visit' }],
  baseline: 'generic-pool',
  rounds: 21,
  warmUpRounds: 5,
  contenders: Object.fromEntries(
    Object.entries(contenders).map(([name, { visit, ...contender }]) => [
      name,
      {
        ...contender,
        open: async (scenario, { roundMs }) => open(await visit(scenario), scenario, roundMs),
      },
    ]),
  ),
  scenarios: [
    { name: 'nobody else about', contended: false },
    { name: '1,000 callers on 10 resources', contended: true },
    { name: '1,000 callers on 10 resources, a deadline', contended: true, deadline: true },
    { name: '1,000 callers on 10 resources, a signal of each', contended: true, signals: true },
  ],
  expectations: [
    { of: ({ contended }) => !contended, ours: 'nestjs-pool', rival: 'generic-pool', atMost: 0.7 },
    {
      of: ({ contended, signals }) => contended && !signals,
      ours: 'nestjs-pool',
      rival: 'generic-pool',
      atMost: 1.15,
    },
  ],
});
