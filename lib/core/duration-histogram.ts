import { createHistogram } from 'node:perf_hooks';
import type { DurationStats } from './pool.stats.js';

const MICROSECONDS_PER_MS = 1_000;

/** Durations in a fixed amount of memory, with two significant digits or better: Node's own HDR histogram, kept in microseconds. */
export class DurationHistogram {
  readonly #histogram = createHistogram({
    lowest: 1,
    highest: 24 * 3_600_000 * MICROSECONDS_PER_MS,
    figures: 2,
  });

  record(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * MICROSECONDS_PER_MS)));
  }

  read(): DurationStats {
    if (this.#histogram.count === 0) return { p50: 0, p99: 0, max: 0 };
    const atPercentile = (percentile: number) => this.#histogram.percentile(percentile) / MICROSECONDS_PER_MS;
    return { p50: atPercentile(50), p99: atPercentile(99), max: this.#histogram.max / MICROSECONDS_PER_MS };
  }
}
