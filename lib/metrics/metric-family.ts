import type { Subscription } from 'rxjs';
import type { ResourcePool } from '../core/resource-pool.js';
import type { Attributes, Instrument, Reading } from './instrument.js';

/** Takes a value of a histogram. */
export type Recorder = (instrument: Instrument, value: number, attributes: Attributes) => void;

/** What is measured of one kind of pools. */
export interface MetricFamily {
  readonly instruments: readonly Instrument[];
  /** Who the pool is: what all its values carry. Asked for once. */
  attributesOf(pool: ResourcePool<unknown>): Attributes;
  /** What the pool looks like now. */
  read(pool: ResourcePool<unknown>, attributes: Attributes): Reading[];
  /** Records what happens in the pool. */
  listen(pool: ResourcePool<unknown>, attributes: Attributes, record: Recorder): Subscription;
}
