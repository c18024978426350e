import { comparison, figure, moreIsBetter, spreadOf } from './figures.mjs';
import { chapterLink, grouped, lines, table } from './markdown.mjs';
import { isOurs, roundsOf } from './results.mjs';

/** A difference that nobody would notice is left out. */
const LEAST_DIFFERENCE = 0.05;

/** Where one of ours is behind the best of the rivals, in the median and in the whole middle half of the rounds. */
export function shortcomingsOf({ suites, nodes }) {
  const rows = suites.flatMap((suite) => shortcomingsOfSuite(suite, nodes));
  if (rows.length === 0) return 'Nothing that was measured here.';
  return table(['', 'Ours', 'What', ...nodes.map((node) => `Node ${node}`)], grouped(rows));
}

function shortcomingsOfSuite(suite, nodes) {
  const ours = Object.keys(suite.contenders).filter(isOurs);
  const rows = ours.flatMap((contender) =>
    suite.metrics.map((metric) => [
      chapterLink(suite),
      contender,
      metric.title,
      ...nodes.map((node) => scenariosBehind(suite, { contender, metric, node })),
    ]),
  );
  return rows.filter((row) => row.slice(-nodes.length).some((cell) => cell !== ''));
}

/** The worst first. */
function scenariosBehind(suite, looked) {
  const lags = suite.scenarios.flatMap((scenario) => lagOf(suite, scenario, looked) ?? []);
  return lines(lags.sort((one, other) => other.factor - one.factor).map(({ says }) => says));
}

function lagOf({ contenders }, scenario, { contender, metric, node }) {
  const rivals = Object.keys(contenders).filter((name) => !isOurs(name) && !contenders[name].isControl);
  const lags = rivals.flatMap((rival) => {
    const found = comparison(scenario, node, { contender, rival, metric });
    return found === undefined ? [] : { rival, ...lag(found, metric) };
  });
  const isBehind = ({ least, factor }) => least > 1 && factor >= 1 + LEAST_DIFFERENCE;
  const [worst] = lags.filter(isBehind).sort((one, other) => other.factor - one.factor);
  if (worst === undefined) return undefined;
  const shown = (name) => figure(spreadOf(roundsOf(scenario, node, name), metric), metric);
  const says = `${scenario.name}: ${shown(contender)}, ${worst.rival} ${shown(worst.rival)}`;
  return { factor: worst.factor, says };
}

/** By what factor one is behind, in the median and in the nearer end of the middle half. */
const lag = ({ median, low, high }, metric) =>
  moreIsBetter(metric) ? { factor: 1 / median, least: 1 / high } : { factor: median, least: low };
