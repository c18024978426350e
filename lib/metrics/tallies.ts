import type { Attributes } from './instrument.js';
import { Tally } from './tally.js';

/** All tallies of a histogram. */
export class Tallies {
  /** The upper limits of the buckets, each inclusive, in ascending order. */
  readonly limits: readonly number[];
  readonly #byAttributes = new Map<string, Tally>();

  constructor(limits: readonly number[]) {
    this.limits = limits;
  }

  /** The one for these attributes, whoever asks. */
  of(attributes: Attributes): Tally {
    const key = JSON.stringify(attributes);
    const tally = this.#byAttributes.get(key) ?? new Tally(attributes, this.limits);
    this.#byAttributes.set(key, tally);
    return tally;
  }

  /** Those that have a value. */
  read(): Tally[] {
    return [...this.#byAttributes.values()].filter(({ count }) => count > 0);
  }

  reset(): void {
    for (const tally of this.#byAttributes.values()) tally.reset();
  }
}
