import { readFileSync } from 'node:fs';
import { SUITES } from '../suites/index.mjs';

/**
 * What came of one or more runs, of one or more versions of Node, as the page shows it. Where two runs of one version have the same
 * scenario, the later one counts.
 *
 * @typedef {object} Results
 * @property {string[]} nodes The versions of Node, by their first number, the oldest first.
 * @property {object[]} runs The machine and the load of each run.
 * @property {object[]} suites Each as it was told, with `scenarios`, whose `on` has the rows by version, and `verdicts` with `node`.
 */

/** @returns {Results} */
export function readResults(paths) {
  const runs = paths.map((path) => JSON.parse(readFileSync(path, 'utf8'))).map(named);
  const nodes = [...new Set(runs.map(({ node }) => node))].sort((one, other) => one - other);
  const suites = new Map();
  for (const run of runs) for (const suite of run.suites) merge(suites, suite, run.node);
  return { nodes, runs, suites: [...suites.values()].sort((one, other) => place(one) - place(other)) };
}

const named = (run) => ({ ...run, node: run.machine.node.split('.')[0] });

const place = ({ name }) => SUITES.indexOf(name);

function merge(suites, { scenarios, verdicts, rounds, ...suite }, node) {
  const known = suites.get(suite.name) ?? { ...suite, rounds: {}, scenarios: [], verdicts: [] };
  suites.set(suite.name, known);
  known.rounds[node] = rounds;
  for (const { rows, missing, ...scenario } of scenarios) {
    const same = known.scenarios.find(({ name }) => name === scenario.name) ?? { ...scenario, on: {} };
    if (!known.scenarios.includes(same)) known.scenarios.push(same);
    same.on[node] = { rows, missing };
  }
  const isOld = (verdict) => verdict.node === node && scenarios.some(({ name }) => name === verdict.scenario);
  const others = known.verdicts.filter((verdict) => !isOld(verdict));
  known.verdicts = [...others, ...verdicts.map((verdict) => ({ ...verdict, node }))];
}

/** The figures of a contender's rounds, if it took part. */
export const roundsOf = ({ on }, node, contender) =>
  on[node]?.rows.find((row) => row.contender === contender)?.rounds;

export const isOurs = (contender) => contender.startsWith('nestjs-pool');
