import type { Attributes } from './instrument.js';

/**
 * The values of a histogram that have one set of attributes, counted as they come. Whoever records holds on to the tally, so that a
 * value costs a few additions; the instruments of others look for its attributes each time, which takes longer than all the rest.
 */
export class Tally {
  readonly attributes: Attributes;
  /** No value was recorded before: milliseconds since the epoch. */
  since = Date.now();
  count = 0;
  sum = 0;
  min = Infinity;
  max = -Infinity;
  /** How many values each bucket has; the last one takes what is beyond all limits. */
  readonly counts: number[];
  readonly #limits: readonly number[];

  /** @param limits the upper limits of the buckets, each inclusive, in ascending order */
  constructor(attributes: Attributes, limits: readonly number[]) {
    this.attributes = attributes;
    this.#limits = limits;
    this.counts = [...limits, Infinity].map(() => 0);
  }

  record(value: number): void {
    const limits = this.#limits;
    let bucket = 0;
    while (bucket < limits.length && value > limits[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.count += 1;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  reset(): void {
    const { since, count, sum, min, max } = new Tally(this.attributes, this.#limits);
    Object.assign(this, { since, count, sum, min, max });
    this.counts.fill(0);
  }
}
