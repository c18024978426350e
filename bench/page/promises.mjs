import { ratio, ratioWithRange } from './figures.mjs';
import { chapterLink, grouped, lines, table } from './markdown.mjs';

/** What the library promises, and what came of it: a row for each promise, and each miss in full below. */
export function promisesOf({ suites, nodes }) {
  const promises = suites.flatMap(promisesOfSuite);
  const verdicts = promises.flatMap((promise) => promise.verdicts);
  if (verdicts.length === 0) return 'What was measured here, nothing was promised of.';
  const head = ['', 'Ours', 'Promise', 'Scenarios', ...nodes.map((node) => `Node ${node}`)];
  const rows = promises.map(({ suite, ours, says, verdicts }) => [
    chapterLink(suite),
    ours,
    says,
    lines([...new Set(verdicts.map(({ scenario }) => scenario))]),
    ...nodes.map((node) => outcome(verdicts.filter((verdict) => verdict.node === node))),
  ]);
  return [summary(verdicts), table(head, grouped(rows)), misses(promises)].filter(Boolean).join('\n\n');
}

function promisesOfSuite(suite) {
  const promises = new Map();
  for (const verdict of suite.verdicts) {
    const { ours } = verdict;
    const says = promiseOf(suite, verdict);
    const promise = promises.get(ours + says) ?? { suite, ours, says, verdicts: [] };
    promise.verdicts.push(verdict);
    promises.set(ours + says, promise);
  }
  return [...promises.values()];
}

const promiseOf = (suite, { rival, metric, word, wanted }) =>
  `${titleOf(suite, metric)}: ${word} ${wanted} × ${rival}`;

const titleOf = ({ metrics }, metric) => metrics.find(({ key }) => key === metric).title;

function outcome(verdicts) {
  if (verdicts.length === 0) return '';
  const medians = verdicts.map(({ found }) => found.median).sort((one, other) => one - other);
  const ratios = [...new Set([medians[0], medians.at(-1)].map(ratio))].join(' to ');
  const missed = verdicts.filter(({ isMet }) => !isMet);
  if (missed.length === 0) return `met: ${ratios}`;
  const word = missed.some(({ isBroken }) => isBroken) ? '**missed**' : 'missed within the spread';
  return `${word}${verdicts.length === 1 ? '' : ` in ${missed.length} of ${verdicts.length}`}: ${ratios}`;
}

function summary(verdicts) {
  const met = verdicts.filter(({ isMet }) => isMet).length;
  const broken = verdicts.filter(({ isBroken }) => isBroken).length;
  const within = verdicts.length - met - broken;
  return `Checked ${verdicts.length} times: ${met} met, ${within} missed within the spread, ${broken} **missed**.`;
}

function misses(promises) {
  const items = promises.flatMap(({ suite, verdicts }) =>
    verdicts.filter(({ isMet }) => !isMet).map((verdict) => `- ${missOf(suite, verdict)}`),
  );
  return items.join('\n');
}

function missOf(suite, { scenario, node, ours, rival, metric, word, wanted, found, isBroken }) {
  const ratios = `${ratioWithRange(found)} × ${rival}`;
  const degree = isBroken ? '**missed**' : 'missed within the spread';
  return (
    `${suite.title}, ${scenario}, Node ${node}: ${titleOf(suite, metric)} of ${ours} ${ratios}, ` +
    `promised ${word} ${wanted}: ${degree}.`
  );
}
