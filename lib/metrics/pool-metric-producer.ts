import type { HrTime, ValueType } from '@opentelemetry/api';
import type {
  AggregationTemporality,
  CollectionResult,
  DataPointType,
  MetricData,
  MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { limitsOf, SCOPE, type Instrument, type Reading } from './instrument.js';
import type { FindRecorder } from './metric-family.js';
import { Outlet, type Exposition } from './outlet.js';
import { Tallies } from './tallies.js';

// The package is only named, never loaded: who has a reader has loaded it.
const DOUBLE: ValueType.DOUBLE = 1;
const CUMULATIVE: AggregationTemporality.CUMULATIVE = 1;
const HISTOGRAM: DataPointType.HISTOGRAM = 0;
const SUM: DataPointType.SUM = 3;

type Resource = CollectionResult['resourceMetrics']['resource'];

/** A reader has the resource from its SDK, and throws this one away. */
const NO_RESOURCE: Resource = {
  attributes: {},
  merge: (other) => other ?? NO_RESOURCE,
  getRawAttributes: () => [],
};

/**
 * Gives the measurements of pools to readers of the OpenTelemetry SDK, ready to be exported, instead of every single value to
 * instruments of the SDK: those look for its attributes each time, and that is what most of the cost of metrics is. Names, units,
 * attributes and buckets are the same.
 *
 * All is cumulative, so that several readers can have it. Views of the SDK do not apply. What was counted of a pool that is closed is
 * still given, and its state is not.
 *
 * @publicApi
 * @example
 * const producer = new PoolMetricProducer();
 * const reader = new PeriodicExportingMetricReader({ exporter, metricProducers: [producer] });
 * metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
 * // and in the application:
 * PoolMetricsModule.forRoot({ producer })
 */
export class PoolMetricProducer implements MetricProducer {
  readonly #families: ProducedFamily[] = [];

  /** @internal Where the module reports pools to. */
  readonly outlet = new Outlet((instruments, read) => {
    const family = new ProducedFamily(instruments, read);
    this.#families.push(family);
    return family;
  });

  /** What the pools look like now, and all that has happened in them. Called by readers. */
  collect(): Promise<CollectionResult> {
    const metrics = this.#families.flatMap((family) => family.metrics(Date.now()));
    const scopeMetrics = metrics.length === 0 ? [] : [{ scope: { name: SCOPE }, metrics }];
    return Promise.resolve({ resourceMetrics: { resource: NO_RESOURCE, scopeMetrics }, errors: [] });
  }
}

/** Never ends: the last export of a process comes when its pools are closed, and must not miss what was counted until then. */
class ProducedFamily implements Exposition {
  readonly #since = hrTime(Date.now());
  readonly #instruments: readonly Instrument[];
  readonly #tallies: ReadonlyMap<Instrument, Tallies>;
  readonly #read: () => Reading[];

  constructor(instruments: readonly Instrument[], read: () => Reading[]) {
    this.#instruments = instruments;
    this.#read = read;
    const histograms = instruments.filter(({ kind }) => kind === 'histogram');
    this.#tallies = new Map(histograms.map((each) => [each, new Tallies(limitsOf(each))]));
  }

  readonly recorderOf: FindRecorder = (instrument, attributes) => {
    const tally = this.#tallies.get(instrument)?.of(attributes);
    return (value) => tally?.record(value);
  };

  metrics(now: number): MetricData[] {
    const endTime = hrTime(now);
    const readings = this.#read();
    const metrics = this.#instruments.map((instrument) => {
      const tallies = this.#tallies.get(instrument);
      if (tallies !== undefined) return histogramOf(instrument, tallies, endTime);
      const own = readings.filter((reading) => reading.instrument === instrument);
      return sumOf(instrument, own, this.#since, endTime);
    });
    return metrics.filter(({ dataPoints }) => dataPoints.length > 0);
  }
}

function sumOf(instrument: Instrument, readings: Reading[], startTime: HrTime, endTime: HrTime): MetricData {
  return {
    ...dataOf(instrument),
    dataPointType: SUM,
    isMonotonic: instrument.kind === 'counter',
    dataPoints: readings.map(({ attributes, value }) => ({ attributes, value, startTime, endTime })),
  };
}

function histogramOf(instrument: Instrument, tallies: Tallies, endTime: HrTime): MetricData {
  const boundaries = [...tallies.limits];
  const dataPoints = tallies.read().map(({ attributes, since, counts, count, sum, min, max }) => ({
    attributes,
    startTime: hrTime(since),
    endTime,
    value: { buckets: { boundaries, counts: [...counts] }, count, sum, min, max },
  }));
  return { ...dataOf(instrument), dataPointType: HISTOGRAM, dataPoints };
}

const dataOf = ({ name, description, unit }: Instrument) => ({
  descriptor: { name, description, unit, valueType: DOUBLE },
  aggregationTemporality: CUMULATIVE,
});

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];
