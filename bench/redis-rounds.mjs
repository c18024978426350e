/** What the benchmarks of Redis share: rounds by turns, and ratios of what ran side by side. */

/** Neither always goes first. */
export function inTurn(entries, round) {
  return round % 2 === 0 ? entries : entries.toReversed();
}

/** Calls per second when so many callers call again and again. */
export async function callsPerSecond(call, { callers, calls }) {
  let left = calls;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left > 0) {
        left -= 1;
        await call();
      }
    }),
  );
  return (calls / (performance.now() - startedAt)) * 1_000;
}

export function quantile(values, share) {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export function median(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Prints the median of the ratios of each round, and their range, which tells how far to trust it. */
export function report(title, ours, theirs) {
  const ratios = theirs.map((value, round) => ours[round] / value);
  const range = `${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}`;
  console.log(`${title.padEnd(44)} ${median(ratios).toFixed(3)} (${range}, ${ratios.length} rounds)`);
}
