import { beforeEach, describe, expect, it } from '@jest/globals';
import { AggregatorRegistry, Histogram, Registry } from 'prom-client';
import { PrometheusHistogram } from './prometheus-histogram.js';

/** The types of a registry allow one format only, which is the other one here. */
const OPEN_METRICS = Registry.OPENMETRICS_CONTENT_TYPE as string as typeof Registry.PROMETHEUS_CONTENT_TYPE;

const LIMITS = [0.1, 1, 10];
const NAMES = { name: 'wait_seconds', help: 'How long it "took"\nto wait.' };

const VALUES: [labels: Record<string, string | number>, values: number[]][] = [
  [{ pool: 'one', port: 6379 }, [0.05, 0.1, 0.7, 3, 3, 10.5]],
  [{ pool: 'say "hi"\\\n', port: 1 }, [1]],
];

describe('A histogram for prom-client', () => {
  let ours: Registry;
  let theirs: Registry;

  /** The same values in a histogram of ours and one of prom-client, each in a registry of its own. */
  const record = (): void => {
    const histogram = new PrometheusHistogram({ ...NAMES, limits: LIMITS });
    ours.registerMetric(histogram as unknown as Histogram);
    const model = new Histogram({
      ...NAMES,
      buckets: LIMITS,
      labelNames: ['pool', 'port'],
      registers: [theirs],
    });
    for (const [labels, values] of VALUES)
      for (const value of values) {
        histogram.tallies.of(labels).record(value);
        model.observe(labels, value);
      }
  };

  beforeEach(() => {
    [ours, theirs] = [new Registry(), new Registry()];
  });

  it('is scraped as name, help and type, cumulative buckets up to +Inf, sum and count', async () => {
    record();
    const text = await ours.metrics();
    expect(text.split('\n').slice(0, 8)).toEqual([
      '# HELP wait_seconds How long it "took"\\nto wait.',
      '# TYPE wait_seconds histogram',
      'wait_seconds_bucket{le="0.1",pool="one",port="6379"} 2',
      'wait_seconds_bucket{le="1",pool="one",port="6379"} 3',
      'wait_seconds_bucket{le="10",pool="one",port="6379"} 5',
      'wait_seconds_bucket{le="+Inf",pool="one",port="6379"} 6',
      `wait_seconds_sum{pool="one",port="6379"} ${0.05 + 0.1 + 0.7 + 3 + 3 + 10.5}`,
      'wait_seconds_count{pool="one",port="6379"} 6',
    ]);
  });

  it('is scraped as one of prom-client, to the letter', async () => {
    record();
    await expect(ours.metrics()).resolves.toBe(await theirs.metrics());
  });

  it('is scraped so as OpenMetrics, too', async () => {
    for (const registry of [ours, theirs]) registry.setContentType(OPEN_METRICS);
    record();
    await expect(ours.metrics()).resolves.toBe(await theirs.metrics());
  });

  it('has the default labels of its registry', async () => {
    ours.setDefaultLabels({ app: 'shop' });
    record();
    await expect(ours.metrics()).resolves.toContain('_count{pool="one",port="6379",app="shop"} 6\n');
  });

  it('is put together with those of other workers as one of prom-client', async () => {
    record();
    const ofTwoWorkers = async (registry: Registry) => {
      const metrics = await registry.getMetricsAsJSON();
      return AggregatorRegistry.aggregate(
        JSON.parse(JSON.stringify([metrics, metrics])) as object[],
      ).metrics();
    };
    const text = await ofTwoWorkers(ours);
    expect(text).toBe(await ofTwoWorkers(theirs));
    expect(text).toContain('wait_seconds_count{pool="one",port="6379"} 12');
  });

  it('is empty again when its registry is reset', async () => {
    record();
    ours.resetMetrics();
    theirs.resetMetrics();
    await expect(ours.metrics()).resolves.toBe(await theirs.metrics());
  });
});
