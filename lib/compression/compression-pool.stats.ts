import type { PoolStats } from '../core/pool.stats.js';
import type { TrafficStats } from './traffic.js';

/**
 * What a compression pool looked like at one moment, and what has gone through its contexts so far.
 *
 * @publicApi
 */
export interface CompressionPoolStats extends PoolStats {
  /** What the inputs of the calls that wait or run have together; never more than `maxQueuedBytes`, but for one that is larger alone. */
  readonly queuedBytes: number;
  readonly compressed: TrafficStats;
  readonly decompressed: TrafficStats;
}
