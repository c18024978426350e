// The conformance suite for resource pools: what a pool should do, checked on this library and on its rivals.
// Exits with 1 when this library fails any of it.
//
//   npm run conformance -- [--only <behaviour>] [--pool <name>] [--json] [--write]

import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { startRedisServer } from '../../scripts/redis-server.mjs';
import { verdictOf } from './apart.mjs';
import { groups } from './behaviours/index.mjs';
import { adapterOf, OURS, POOL_NAMES } from './pools/index.mjs';
import { pageOf } from './page.mjs';
import { printHead, printReasons, printRow, printTitle, printTotals } from './table.mjs';

const PAGE = new URL('../../docs/conformance.md', import.meta.url);
const BEHAVIOUR_NAMES = groups.flatMap(({ behaviours }) => behaviours.map(({ name }) => name));
/** They wait most of the time. */
const PROCESSES_AT_ONCE = Math.min(4, availableParallelism() + 1);

const { values: wanted } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    pool: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const pools = await Promise.all(chosen('pool', POOL_NAMES).map(adapterOf));
const names = new Set(chosen('only', BEHAVIOUR_NAMES));
if (wanted.write && (wanted.only ?? wanted.pool)) throw new Error('--write needs a whole run');

const redis = pools.some(({ needsRedis }) => needsRedis) ? await startRedisServer() : undefined;
try {
  const results = await checkAll();
  if (wanted.json) console.log(JSON.stringify(results, undefined, 2));
  if (wanted.write) await writeFile(PAGE, await pageOf(results));
  if (results.groups.some(failsOurs)) process.exitCode = 1;
} finally {
  await redis?.stop();
}

/** The names asked for, or all. */
function chosen(option, known) {
  const asked = wanted[option] ?? known;
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`--${option} ${unknown.join(', ')}: there is only ${known.join(', ')}`);
  return asked;
}

/** Prints each row as soon as it is complete. */
async function checkAll() {
  const show = !wanted.json;
  const results = start();
  if (show) printHead(pools);
  for (const { title, behaviours } of results) {
    if (show) printTitle(title);
    for (const behaviour of behaviours) {
      behaviour.verdicts = Object.fromEntries(await Promise.all(behaviour.verdicts));
      if (show) printRow(behaviour, pools);
    }
  }
  const totals = pools.map((pool) => totalOf(pool, results));
  if (show) printTotals(totals);
  if (show) printReasons(results, pools);
  return { node: process.versions.node.split('.')[0], pools: totals, groups: results };
}

/** Everything is asked for at once, and so much of it is done at a time as the machine can take. */
function start() {
  const inTurn = queue(PROCESSES_AT_ONCE);
  const env = { REDIS_URL: redis?.url };
  const judge = async (pool, behaviour) => [pool.name, await inTurn(() => verdictOf(pool, behaviour, env))];
  return groups
    .map(({ title, behaviours }) => ({
      title,
      behaviours: behaviours
        .filter(({ name }) => names.has(name))
        .map((behaviour) => ({
          name: behaviour.name,
          says: behaviour.says,
          verdicts: pools.map((pool) => judge(pool, behaviour)),
        })),
    }))
    .filter(({ behaviours }) => behaviours.length > 0);
}

function queue(size) {
  const places = Array.from({ length: size }, () => Promise.resolve());
  let next = 0;
  return (work) => {
    const place = next++ % size;
    const done = places[place].then(work);
    places[place] = done.catch(() => undefined);
    return done;
  };
}

function totalOf({ name, version, documentation, configured }, results) {
  const verdicts = results.flatMap(({ behaviours }) =>
    behaviours.map(({ verdicts }) => verdicts[name].verdict),
  );
  const passed = verdicts.filter((verdict) => verdict === 'pass').length;
  const applicable = verdicts.filter((verdict) => verdict !== 'n/a').length;
  return { name, version, documentation, configured, passed, applicable };
}

function failsOurs({ behaviours }) {
  return behaviours.some(({ verdicts }) => OURS in verdicts && verdicts[OURS].verdict !== 'pass');
}
