import { DurationHistogram } from './duration-histogram.js';
import type { DurationStats } from './pool.stats.js';

/** What is told covers the last minute at least, and two at most. */
const SPAN_MS = 60_000;

/** How long something took lately, so that one bad minute is forgotten when it is over. Recording costs nothing more than elsewhere. */
export class RecentDurations {
  #earlier = new DurationHistogram();
  #current = new DurationHistogram();
  #currentSince = performance.now();

  record(ms: number): void {
    this.#current.record(ms);
  }

  /** Time has passed; to be told now and then. */
  turn(now: number): void {
    const spans = Math.floor((now - this.#currentSince) / SPAN_MS);
    if (spans === 0) return;
    this.#earlier = spans === 1 ? this.#current : new DurationHistogram();
    this.#current = new DurationHistogram();
    this.#currentSince += spans * SPAN_MS;
  }

  read(): DurationStats {
    return DurationHistogram.merged(this.#earlier, this.#current).read();
  }
}
