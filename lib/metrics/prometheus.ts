import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { limitsOf, type Attributes, type Instrument, type Reading } from './instrument.js';
import type { FindRecorder } from './metric-family.js';
import { Outlet, type Expose } from './outlet.js';
import { PrometheusHistogram } from './prometheus-histogram.js';

/** The classes of prom-client. They come from whoever has loaded it, since it is an optional peer. */
export interface PromClient {
  readonly Counter: typeof Counter;
  readonly Gauge: typeof Gauge;
}

const outlets = new WeakMap<Registry, Outlet>();

/** The one outlet to this registry. */
export function outletOfRegistry(registry: Registry, client: PromClient): Outlet {
  const outlet = outlets.get(registry) ?? new Outlet(exposeTo(registry, client));
  outlets.set(registry, outlet);
  return outlet;
}

const exposeTo =
  (registry: Registry, client: PromClient): Expose =>
  (instruments, read) => {
    refuseTaken(instruments.map(nameOf), registry);
    const histograms = new Map<Instrument, PrometheusHistogram>();
    for (const instrument of instruments) {
      const config = { ...namesOf(instrument), registers: [registry] };
      const ownReadings = () => read().filter((reading) => reading.instrument === instrument);
      if (instrument.kind === 'histogram') {
        const histogram = new PrometheusHistogram({ ...namesOf(instrument), limits: limitsOf(instrument) });
        // A registry is content with any metric, but its type names the classes of prom-client.
        registry.registerMetric(histogram as unknown as Histogram);
        histograms.set(instrument, histogram);
      } else if (instrument.kind === 'counter') {
        const collect = counting(ownReadings);
        new client.Counter({ ...config, collect });
      } else {
        const collect = gauging(ownReadings);
        new client.Gauge({ ...config, collect });
      }
    }
    const recorderOf: FindRecorder = (instrument, attributes) => {
      const tally = histograms.get(instrument)?.tallies.of(labelsOf(attributes));
      return (value) => tally?.record(value);
    };
    return {
      recorderOf,
      end: () => instruments.forEach((each) => registry.removeSingleMetric(nameOf(each))),
    };
  };

/** Before anything is registered, which would be left there half. */
function refuseTaken(names: string[], registry: Registry): void {
  const taken = names.filter((name) => registry.getSingleMetric(name) !== undefined);
  if (taken.length > 0) throw new Error(`the registry has ${taken.join(', ')} of somebody else`);
}

function counting(readings: () => Reading[]) {
  return function collect(this: Counter): void {
    this.reset();
    for (const { value, attributes } of readings()) this.inc(labelsOf(attributes), value);
  };
}

function gauging(readings: () => Reading[]) {
  return function collect(this: Gauge): void {
    this.reset();
    for (const { value, attributes } of readings()) this.set(labelsOf(attributes), value);
  };
}

function namesOf(instrument: Instrument): { name: string; help: string; labelNames: string[] } {
  return {
    name: nameOf(instrument),
    help: instrument.description,
    labelNames: instrument.attributes.map(underscored),
  };
}

const UNITS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };

/** As OpenTelemetry prescribes it for Prometheus: the unit behind the name, and `_total` behind that of a counter. */
function nameOf({ name, kind, unit }: Instrument): string {
  return `${underscored(name)}${UNITS[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`;
}

const underscored = (name: string): string => name.replaceAll('.', '_');

const labelsOf = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [underscored(name), value]));
