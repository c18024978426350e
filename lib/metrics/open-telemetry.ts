import type { BatchObservableResult, Meter, MetricOptions, Observable } from '@opentelemetry/api';
import { keyOf, limitsOf, type Instrument, type Reading } from './instrument.js';
import type { FindRecorder } from './metric-family.js';
import { Outlet, type Exposition } from './outlet.js';

const outlets = new WeakMap<Meter, Outlet>();

/** The one outlet to this meter. */
export function outletOfMeter(meter: Meter): Outlet {
  const expose = (instruments: readonly Instrument[], read: () => Reading[]) =>
    new MeterExposition(meter, instruments, read);
  const outlet = outlets.get(meter) ?? new Outlet(expose);
  outlets.set(meter, outlet);
  return outlet;
}

class MeterExposition implements Exposition {
  readonly #meter: Meter;
  readonly #histograms: ReadonlyMap<Instrument, ReturnType<Meter['createHistogram']>>;
  readonly #observables: ReadonlyMap<Instrument, Observable>;
  #read: (() => Reading[]) | undefined;
  #shown = new Map<string, Reading>();

  constructor(meter: Meter, instruments: readonly Instrument[], read: () => Reading[]) {
    this.#meter = meter;
    this.#read = read;
    const recorded = instruments.filter(({ kind }) => kind === 'histogram');
    const observed = instruments.filter(({ kind }) => kind !== 'histogram');
    this.#histograms = new Map(
      recorded.map((each) => [each, meter.createHistogram(each.name, optionsOf(each))]),
    );
    this.#observables = new Map(observed.map((each) => [each, observable(meter, each)]));
    meter.addBatchObservableCallback(this.#observe, [...this.#observables.values()]);
  }

  readonly recorderOf: FindRecorder = (instrument, attributes) => {
    const histogram = this.#histograms.get(instrument);
    return (value) => histogram?.record(value, attributes);
  };

  /** The SDK goes on showing the last value of whatever is not observed any more, so what is gone has to be shown as nothing once. */
  end(): void {
    this.#read = undefined;
    if (this.#shown.size === 0) this.#unregister();
  }

  readonly #observe = (result: BatchObservableResult): void => {
    const readings = new Map(this.#read?.().map((reading) => [keyOf(reading), reading]));
    for (const reading of readings.values()) this.#show(result, reading);
    for (const [key, reading] of this.#shown)
      if (!readings.has(key) && reading.instrument.kind !== 'counter')
        this.#show(result, { ...reading, value: 0 });
    this.#shown = readings;
    if (this.#read === undefined) this.#unregister();
  };

  #show(result: BatchObservableResult, { instrument, value, attributes }: Reading): void {
    const target = this.#observables.get(instrument);
    if (target !== undefined) result.observe(target, value, attributes);
  }

  #unregister(): void {
    this.#meter.removeBatchObservableCallback(this.#observe, [...this.#observables.values()]);
  }
}

function observable(meter: Meter, instrument: Instrument): Observable {
  const { name, kind } = instrument;
  return kind === 'counter'
    ? meter.createObservableCounter(name, optionsOf(instrument))
    : meter.createObservableUpDownCounter(name, optionsOf(instrument));
}

function optionsOf(instrument: Instrument): MetricOptions {
  const { kind, unit, description } = instrument;
  if (kind !== 'histogram') return { unit, description };
  return { unit, description, advice: { explicitBucketBoundaries: limitsOf(instrument) } };
}
