import type { ResourcePool } from '../core/resource-pool.js';
import { compressionMetrics } from './compression.metrics.js';
import { connectionMetrics } from './connection.metrics.js';
import { keyOf, type Attributes, type Instrument, type Reading } from './instrument.js';
import type { FindRecorder, MetricFamily } from './metric-family.js';

/** What a meter or a registry knows of one family, from its first pool to its last. */
export interface Exposition {
  readonly recorderOf: FindRecorder;
  /** Removes all of it. What cannot be removed is there for good, with the totals of pools that were closed. */
  end?(): void;
}

/** Opens an exposition, which calls `read` when somebody collects. */
export type Expose = (instruments: readonly Instrument[], read: () => Reading[]) => Exposition;

/**
 * Where the measurements of pools go: one meter, or one registry. All applications of the process that report to the same one share
 * it, so that an instrument exists once; pools of the same name add up.
 */
export class Outlet {
  readonly #connections: Members;
  readonly #compression: Members;

  constructor(expose: Expose) {
    this.#connections = new Members(connectionMetrics, expose);
    this.#compression = new Members(compressionMetrics, expose);
  }

  /** Reports the pool until it is closed. It is reported once, however often it is added. */
  add(pool: ResourcePool<unknown>): void {
    const family = pool.description.kind === 'compression' ? this.#compression : this.#connections;
    family.add(pool);
  }
}

/** The pools of one family that are open. */
class Members {
  readonly #family: MetricFamily;
  readonly #expose: Expose;
  readonly #pools = new Map<ResourcePool<unknown>, Attributes>();
  #exposition: Exposition | undefined;
  /** What closed pools have counted, where it is still shown. */
  #totals: Reading[] = [];

  constructor(family: MetricFamily, expose: Expose) {
    this.#family = family;
    this.#expose = expose;
  }

  add(pool: ResourcePool<unknown>): void {
    if (this.#pools.has(pool)) return;
    const attributes = Object.freeze(this.#family.attributesOf(pool));
    const exposition = (this.#exposition ??= this.#expose(this.#family.instruments, () => this.#read()));
    this.#pools.set(pool, attributes);
    const listening = this.#family.listen(pool, attributes, exposition.recorderOf);
    const remove = () => {
      listening.unsubscribe();
      this.#remove(pool, attributes);
    };
    pool.milestones$.subscribe({ complete: remove });
  }

  #remove(pool: ResourcePool<unknown>, attributes: Attributes): void {
    this.#pools.delete(pool);
    if (this.#exposition?.end === undefined) {
      const totals = this.#family
        .read(pool, attributes)
        .filter(({ instrument }) => instrument.kind === 'counter');
      this.#totals = addedUp([...this.#totals, ...totals]);
    } else if (this.#pools.size === 0) {
      this.#exposition.end();
      this.#exposition = undefined;
    }
  }

  #read(): Reading[] {
    const readings = [...this.#pools].flatMap(([pool, attributes]) => this.#family.read(pool, attributes));
    return addedUp([...this.#totals, ...readings]);
  }
}

/** One reading for each instrument and set of attributes: the last one would win otherwise. */
function addedUp(readings: readonly Reading[]): Reading[] {
  const sums = new Map<string, Reading>();
  for (const reading of readings) {
    const key = keyOf(reading);
    const value = reading.value + (sums.get(key)?.value ?? 0);
    sums.set(key, { ...reading, value });
  }
  return [...sums.values()];
}
