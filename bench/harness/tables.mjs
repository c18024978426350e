import { markdownTable } from 'markdown-table';
import { judge, ratioOf, typical } from './statistics.mjs';

/** A scenario as a table in Markdown, which reads well in a terminal too. */
export function tableOf(suite, { rows, missing }) {
  if (rows.length === 0)
    return `Not here: ${[...new Set(missing.map(({ because }) => because))].join(', ')}.`;
  const baseline = rows.find(({ contender }) => contender === suite.baseline);
  const [{ key: main }] = suite.metrics;
  const head = ['', ...suite.metrics.map(({ title }) => title), `× ${suite.baseline}`, 'rounds between'];
  const body = rows.map(({ contender, rounds }) => [
    contender,
    ...suite.metrics.map(({ key, digits }) => number(typical(rounds, key), digits)),
    ...(baseline === undefined ? ['', ''] : ratioCells(ratioOf(rounds, baseline.rounds, main))),
  ]);
  const align = ['left', ...head.slice(1).map(() => 'right')];
  const table = markdownTable([head, ...body], { align });
  const absent = missing.map(({ contender, because }) => `${contender} (${because})`);
  return absent.length === 0 ? table : `${table}\n\nNot here: ${absent.join(', ')}.`;
}

const ratioCells = ({ median, min, max }) => [ratio(median), `${ratio(min)} to ${ratio(max)}`];

/** What was promised of a scenario, and what came of it. */
export function verdictsOf(suite, scenario) {
  return suite.expectations
    .filter(({ of }) => of(suite.scenarios.find(({ name }) => name === scenario.name)))
    .flatMap((expectation) => verdict(expectation, suite, scenario) ?? []);
}

function verdict({ ours, rival, metric, ...limits }, suite, { name, rows }) {
  const [one, other] = [ours, rival].map((wanted) => rows.find(({ contender }) => contender === wanted));
  if (one === undefined || other === undefined) return undefined;
  const key = metric ?? suite.metrics[0].key;
  const found = ratioOf(one.rounds, other.rounds, key);
  const judged = judge(found, limits);
  const { title } = suite.metrics.find((each) => each.key === key);
  const word = limits.atLeast === undefined ? 'at most' : 'at least';
  const outcome = judged.isMet ? 'met' : judged.isBroken ? 'MISSED' : 'missed by less than the spread';
  const text = `${ours} / ${rival}, ${title}: ${ratio(found.median)} (half of the rounds ${ratio(found.low)} to ${ratio(found.high)}), wanted ${word} ${judged.wanted}: ${outcome}`;
  return { ...judged, scenario: name, ours, rival, metric: key, word, found, text };
}

export const ratio = (value) => (value >= 0.1 ? value.toFixed(2) : value.toFixed(3));

function number(value, digits = 0) {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
