// How fast the core is beside bare generic-pool, tarn and lightning-pool: what an acquire and a release cost, with nobody else about
// and with 1,000 callers who wait for 10 resources; and what the options of an acquire add to ours.
//
//   npm run build && npm ci --prefix bench && node bench/core-speed.mjs
//
// Each contender has a process of its own: in one process they would share the compiled code of what they have in common, and slow
// each other down. They run by turns, so that what slows the machine slows all. A round's ratio is to bare generic-pool in the same
// round; the median is the figure, the range tells how far to trust it.

/* global AbortController */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

const MAX = 10;
const WAITERS = 1_000;
const ROUND_MS = 80;
const WARM_UP_ROUNDS = 5;
const ROUNDS = Number(process.env.ROUNDS ?? 21);

const factory = { create: async () => ({}), destroy: async () => undefined };

async function ours(options, how) {
  const { ResourcePool } = await import('../dist/core/resource-pool.js');
  const pool = new ResourcePool('bench', factory, { max: MAX, ...options });
  return { pool, visit: async () => (await pool.acquire(how)).release() };
}

async function genericPool(options) {
  const { createPool } = (await import('generic-pool')).default;
  const pool = createPool(factory, { max: MAX, ...options });
  return { visit: async () => pool.release(await pool.acquire()) };
}

async function tarn() {
  const { Pool } = (await import('tarn')).default;
  const pool = new Pool({ ...factory, min: 0, max: MAX });
  return { visit: async () => pool.release(await pool.acquire().promise) };
}

async function lightningPool() {
  const { createPool } = await import('lightning-pool');
  const pool = createPool(factory, { max: MAX, maxQueue: WAITERS });
  return { visit: async () => pool.release(await pool.acquire()) };
}

async function oursByUse() {
  const { pool } = await ours();
  return { visit: () => pool.use(async () => undefined) };
}

/** Each caller has a signal of its own, as requests do. */
async function oursWithSignals() {
  const { pool } = await ours();
  const signals = Array.from({ length: WAITERS }, () => new AbortController().signal);
  let next = 0;
  return { visit: async () => (await pool.acquire({ signal: signals[next++ % WAITERS] })).release() };
}

async function oursObserved() {
  const { pool, visit } = await ours();
  pool.events$.subscribe(() => undefined);
  return { visit };
}

const BASELINE = 'generic-pool';

/** Each makes a pool and gives a function that takes a resource and gives it back. Defaults, unless their name says otherwise. */
const CONTENDERS = {
  [BASELINE]: () => genericPool(),
  'generic-pool, acquireTimeoutMillis': () => genericPool({ acquireTimeoutMillis: 5_000 }),
  tarn,
  'lightning-pool': lightningPool,
  'nestjs-pool': () => ours(),
  'nestjs-pool, acquireTimeoutMs: 0': () => ours({ acquireTimeoutMs: 0 }),
  'nestjs-pool, use()': oursByUse,
  'nestjs-pool, a deadline': () => ours({}, { timeoutMs: 1_000 }),
  'nestjs-pool, a signal': oursWithSignals,
  'nestjs-pool, leakThresholdMs': () => ours({ leakThresholdMs: 60_000 }),
  'nestjs-pool, a subscriber': oursObserved,
};

/** Each makes so many visits and resolves when they are over. */
const SCENARIOS = {
  'nobody else about': {
    visits: 500,
    run: async (visit) => {
      for (let each = 0; each < 500; each += 1) await visit();
    },
  },
  '1,000 callers, 10 resources': {
    visits: WAITERS,
    run: (visit) => Promise.all(Array.from({ length: WAITERS }, () => visit())),
  },
};

if (process.argv[2] === undefined) await compare();
else await contend(...process.argv.slice(2));

/** A contender's process: runs a round whenever it is asked to, and tells what a visit took, in nanoseconds. */
async function contend(contender, scenario) {
  const { visit } = await CONTENDERS[contender]();
  const { visits, run } = SCENARIOS[scenario];
  process.on('message', async () => {
    let made = 0;
    const startedAt = performance.now();
    for (; performance.now() - startedAt < ROUND_MS; made += visits) await run(visit);
    process.send(((performance.now() - startedAt) / made) * 1e6);
  });
  process.send('ready');
}

async function compare() {
  console.log(
    `${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.versions.node}; ${versions().join(', ')}`,
  );
  for (const scenario of Object.keys(SCENARIOS)) {
    const results = await measure(scenario);
    console.log(
      `\n${scenario}, ${ROUNDS} rounds${' '.repeat(28 - scenario.length)} ns/visit   × ${BASELINE}`,
    );
    for (const [contender, times] of results) console.log(line(contender, times, results.get(BASELINE)));
  }
}

async function measure(scenario) {
  const children = new Map();
  for (const contender of Object.keys(CONTENDERS)) {
    const child = fork(fileURLToPath(import.meta.url), [contender, scenario]);
    await once(child, 'message');
    children.set(contender, child);
  }
  const results = new Map([...children.keys()].map((contender) => [contender, []]));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    for (const [contender, child] of inTurn([...children], round)) {
      child.send('go');
      const [time] = await once(child, 'message');
      if (round >= 0) results.get(contender).push(time);
    }
  }
  for (const child of children.values()) child.kill();
  return results;
}

function line(contender, times, baseline) {
  const ratios = times.map((time, round) => time / baseline[round]);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  return `${contender.padEnd(40)} ${median(times).toFixed(0).padStart(8)}   ${median(ratios).toFixed(2)} (${range})`;
}

/** None always goes first. */
function inTurn(entries, round) {
  return round % 2 === 0 ? entries : entries.toReversed();
}

function median(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function versions() {
  const manifests = { 'nestjs-pool': '../package.json' };
  return ['nestjs-pool', 'generic-pool', 'tarn', 'lightning-pool'].map((name) => {
    const manifest = new URL(manifests[name] ?? `node_modules/${name}/package.json`, import.meta.url);
    return `${name} ${JSON.parse(readFileSync(manifest, 'utf8')).version}`;
  });
}
