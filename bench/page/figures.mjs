import { median, quantile } from 'simple-statistics';
import { ratio as shortened } from '../harness/tables.mjs';
import { ratioOf } from '../harness/statistics.mjs';
import { roundsOf } from './results.mjs';

/** What a metric was in the rounds: the median, and the middle half as `low` and `high`. */
export function spreadOf(rounds, { key }) {
  const values = (rounds ?? []).map((figures) => figures[key]).filter(Number.isFinite);
  if (values.length === 0) return undefined;
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

/** How a contender compares with another in a scenario, if both were measured, and neither was nought. */
export function comparison(scenario, node, { contender, rival, metric }) {
  const sides = [contender, rival].map((name) => roundsOf(scenario, node, name));
  const areMeasured = sides.every((rounds) => rounds?.every((figures) => figures[metric.key] > 0));
  return areMeasured ? ratioOf(...sides, metric.key) : undefined;
}

export function figure(spread, { digits = 0 }) {
  if (spread === undefined) return '–';
  return spread.median.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export const ratio = shortened;

export const ratioWithRange = ({ median, low, high }) => `${ratio(median)} (${ratio(low)} to ${ratio(high)})`;

/** Whether more of it is better; of what is counted by the second it is, where the suite does not say. */
export const moreIsBetter = ({ title, better = title.endsWith('/s') ? 'more' : 'less' }) => better === 'more';
