import { median, quantile } from 'simple-statistics';

/** The median of what a metric was in all rounds. */
export const typical = (rounds, metric) => median(rounds.map((figures) => figures[metric]));

/**
 * How two contenders compare, from the ratios of the rounds they made side by side. The spread is the middle half of them.
 */
export function ratioOf(rounds, rivalRounds, metric) {
  const ratios = rounds.map((figures, round) => figures[metric] / rivalRounds[round][metric]);
  return {
    median: median(ratios),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
  };
}

/** A promise is broken when the median misses it by more than the spread. */
export function judge({ median: middle, low, high }, { atLeast, atMost }) {
  const spread = high - low;
  const wanted = atLeast ?? atMost;
  const missedBy = atLeast === undefined ? middle - atMost : atLeast - middle;
  return { wanted, isMet: missedBy <= 0, isBroken: missedBy > spread };
}
