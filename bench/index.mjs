// The library beside its rivals, on this machine: `npm run bench -- [--only words] [--short] [--rounds n] [--round-ms n] [--json] [--list]`.
//
//   --only      only the scenarios whose suite and name contain each of these words; may be given several times
//   --short     only what the library promises something about, in fewer and shorter rounds
//   --json      every figure of every round as JSON, in place of the tables
//   --list      what there is
//
// Ends with 1 when a promise is missed by more than the spread of the rounds.
import { parseArgs } from 'node:util';
import { load, machine } from './harness/machine.mjs';
import { Progress } from './harness/progress.mjs';
import { countRounds, runSuite } from './harness/run.mjs';
import { tableOf, verdictsOf } from './harness/tables.mjs';
import { SUITES } from './suites/index.mjs';

const SHORT = { rounds: 9, roundMs: 80 };
const ROUND_MS = 150;

const options = {
  only: { type: 'string', multiple: true, default: [] },
  short: { type: 'boolean', default: false },
  rounds: { type: 'string' },
  'round-ms': { type: 'string' },
  json: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
};
const { values: asked } = parseArgs({ options });

const suites = await Promise.all(SUITES.map(withUrl));
const chosen = suites.map(choose).filter(({ scenarios }) => scenarios.length > 0);
if (chosen.length === 0)
  throw new Error(`nothing is called ${asked.only.join(' ')}; --list tells what there is`);
if (asked.list) list();
else await run();

async function withUrl(name) {
  const url = new URL(`suites/${name}.mjs`, import.meta.url).href;
  return { url, suite: (await import(url)).default };
}

function choose({ url, suite }) {
  const isWanted = ({ name }) => asked.only.every((words) => `${suite.name} ${name}`.includes(words));
  const isPromised = (scenario) => suite.expectations.some(({ of }) => of(scenario));
  const scenarios = suite.scenarios.filter((each) => isWanted(each) && (!asked.short || isPromised(each)));
  const rounds = Number(asked.rounds ?? (asked.short ? Math.min(SHORT.rounds, suite.rounds) : suite.rounds));
  return { url, suite, scenarios, rounds };
}

function list() {
  for (const { suite, scenarios } of chosen) {
    console.log(`${suite.name}: ${suite.title}`);
    for (const { name } of scenarios) console.log(`  ${name}`);
  }
}

async function run() {
  const loadBefore = load();
  const here = machine();
  print(`${here.cpu}, ${here.memory}, Node ${here.node}, ${here.platform}; load ${loadBefore.toFixed(2)}`);
  const progress = new Progress(
    sum(chosen.map((each) => countRounds(each.suite, each.scenarios, each.rounds))),
  );
  const results = [];
  try {
    for (const each of chosen) results.push(await runOne(each, progress));
  } finally {
    progress.stop();
  }
  const report = { machine: here, load: { before: loadBefore, after: load() }, suites: results };
  if (asked.json) console.log(JSON.stringify(report));
  conclude(results.flatMap(({ verdicts }) => verdicts));
}

async function runOne({ url, suite, scenarios, rounds }, progress) {
  const roundMs = Number(asked['round-ms'] ?? (asked.short ? SHORT.roundMs : ROUND_MS));
  const results = await runSuite(suite, url, { scenarios, rounds, roundMs, progress: progress.step });
  print(`\n== ${suite.title}`);
  for (const result of results) {
    print(`\n${result.name}, ${rounds} rounds\n${tableOf(suite, result)}`);
    for (const { text } of verdictsOf(suite, result)) print(`→ ${text}`);
  }
  return {
    ...suite,
    rounds,
    contenders: Object.fromEntries(Object.entries(suite.contenders).map(described)),
    scenarios: results,
    verdicts: results.flatMap((each) => verdictsOf(suite, each)),
  };
}

function described([name, { how, source, isControl }]) {
  return [name, { how, source, isControl }];
}

function conclude(verdicts) {
  const broken = verdicts.filter(({ isBroken }) => isBroken);
  const met = verdicts.filter(({ isMet }) => isMet);
  print(
    `\n${met.length} of ${verdicts.length} promises are met, ${broken.length} missed by more than the spread`,
  );
  for (const { scenario, text } of broken) print(`  ${scenario}: ${text}`);
  if (broken.length > 0) process.exitCode = 1;
}

function print(text) {
  if (!asked.json) console.log(text);
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
