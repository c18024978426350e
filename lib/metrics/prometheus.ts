import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { BUCKETS, type Attributes, type Instrument, type Reading } from './instrument.js';
import { Outlet, type Expose } from './outlet.js';

/** The classes of prom-client. They come from whoever has loaded it, since it is an optional peer. */
export interface PromClient {
  readonly Counter: typeof Counter;
  readonly Gauge: typeof Gauge;
  readonly Histogram: typeof Histogram;
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
    const histograms = new Map<Instrument, Histogram>();
    for (const instrument of instruments) {
      const config = { ...namesOf(instrument), registers: [registry] };
      const ownReadings = () => read().filter((reading) => reading.instrument === instrument);
      if (instrument.kind === 'histogram') {
        const buckets = BUCKETS[instrument.unit];
        histograms.set(instrument, new client.Histogram({ ...config, buckets }));
      } else if (instrument.kind === 'counter') {
        const collect = counting(ownReadings);
        new client.Counter({ ...config, collect });
      } else {
        const collect = gauging(ownReadings);
        new client.Gauge({ ...config, collect });
      }
    }
    return {
      record: (instrument, value, attributes) =>
        histograms.get(instrument)?.observe(labelsOf(attributes), value),
      end: () => instruments.forEach((each) => registry.removeSingleMetric(nameOf(each))),
    };
  };

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

const labels = new WeakMap<Attributes, Attributes>();

/** Attributes are few objects that come again and again. */
function labelsOf(attributes: Attributes): Attributes {
  const known = labels.get(attributes);
  if (known !== undefined) return known;
  const made = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [underscored(name), value]),
  );
  labels.set(attributes, made);
  return made;
}
