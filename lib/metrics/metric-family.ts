import type { Subscription } from 'rxjs';
import type { ResourcePool } from '../core/resource-pool.js';
import type { Attributes, Instrument, Reading } from './instrument.js';

/** Takes the values of one histogram that have one set of attributes. */
export type Recorder = (value: number) => void;

/** Finds the recorder. That is not for every value, but once where the attributes are known beforehand. */
export type FindRecorder = (instrument: Instrument, attributes: Attributes) => Recorder;

/** What is measured of one kind of pools. */
export interface MetricFamily {
  readonly instruments: readonly Instrument[];
  /** Who the pool is: what all its values carry. Asked for once. */
  attributesOf(pool: ResourcePool<unknown>): Attributes;
  /** What the pool looks like now. */
  read(pool: ResourcePool<unknown>, attributes: Attributes): Reading[];
  /** Records what happens in the pool. */
  listen(pool: ResourcePool<unknown>, attributes: Attributes, recorderOf: FindRecorder): Subscription;
}
