import { createHistogram } from 'node:perf_hooks';
import type { DurationStats } from './pool.stats.js';

const MICROSECONDS_PER_MS = 1_000;

/** Durations in a fixed amount of memory, to two digits or better: Node's own HDR histogram, kept in microseconds. */
export class DurationHistogram {
  readonly #histogram = createHistogram({
    lowest: 1,
    highest: 24 * 3_600_000 * MICROSECONDS_PER_MS,
    figures: 2,
  });
  /** What took no time at all, as most waits in a healthy pool, is only counted. */
  #zeros = 0;

  /** All that was recorded in either. */
  static merged(one: DurationHistogram, other: DurationHistogram): DurationHistogram {
    const all = new DurationHistogram();
    for (const part of [one, other]) {
      all.#histogram.add(part.#histogram);
      all.#zeros += part.#zeros;
    }
    return all;
  }

  record(ms: number): void {
    if (ms === 0) this.#zeros += 1;
    else this.#histogram.record(Math.max(1, Math.round(ms * MICROSECONDS_PER_MS)));
  }

  read(): DurationStats {
    const { count, max } = this.#histogram;
    return {
      p50: this.#percentile(50),
      p99: this.#percentile(99),
      max: count === 0 ? 0 : max / MICROSECONDS_PER_MS,
    };
  }

  #percentile(percent: number): number {
    const total = this.#zeros + this.#histogram.count;
    const rank = (percent / 100) * total - this.#zeros;
    if (rank <= 0) return 0;
    return this.#histogram.percentile((100 * rank) / this.#histogram.count) / MICROSECONDS_PER_MS;
  }
}
