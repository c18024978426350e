import type { Tally } from './tally.js';
import { Tallies } from './tallies.js';

/** A line of a histogram, as prom-client has it: one of `_bucket`, `_sum` or `_count`. */
interface Line {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * A histogram in a registry of prom-client, with all that a registry asks of a metric. It shows its tallies when it is scraped, as
 * prom-client's own would, which looks for the labels of every value that is recorded. The attributes of the tallies are its labels.
 */
export class PrometheusHistogram {
  readonly type = 'histogram';
  /** How prom-client puts the histograms of the workers of a cluster together. */
  readonly aggregator = 'sum';
  readonly name: string;
  readonly help: string;
  readonly tallies: Tallies;

  constructor({ name, help, limits }: { name: string; help: string; limits: readonly number[] }) {
    this.name = name;
    this.help = help;
    this.tallies = new Tallies(limits);
  }

  get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    const values = this.tallies.read().flatMap((tally) => this.#linesOf(tally));
    return Promise.resolve({ name, help, type, aggregator, values });
  }

  reset(): void {
    this.tallies.reset();
  }

  #linesOf({ attributes, counts, count, sum }: Tally): Line[] {
    let upToHere = 0;
    const buckets = [...this.tallies.limits, '+Inf'].map((le, bucket) => ({
      metricName: `${this.name}_bucket`,
      labels: { le, ...attributes },
      value: (upToHere += counts[bucket] ?? 0),
    }));
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels: attributes, value: sum },
      { metricName: `${this.name}_count`, labels: attributes, value: count },
    ];
  }
}
