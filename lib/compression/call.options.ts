import type { OptionRules } from '../core/option-rules.js';
import { ACQUIRE_OPTION_RULES } from '../core/resource-pool.js';
import type { AcquireOptions } from '../core/waiter.js';
import { MAX_OUTPUT_BYTES_RULE } from './compression.options.js';

/**
 * How one call of `decompress()` differs from what the pool was told.
 *
 * @publicApi
 */
export interface DecompressOptions extends AcquireOptions {
  /** Instead of the pool's `maxOutputBytes`. */
  maxOutputBytes?: number;
}

/**
 * How one stream waits for its context. Aborting the signal also destroys the stream, with the signal's reason.
 *
 * @publicApi
 */
export type CompressStreamOptions = AcquireOptions;

/**
 * As for a stream that compresses, and what it may yield.
 *
 * @publicApi
 */
export interface DecompressStreamOptions extends AcquireOptions {
  /** Default: the pool's `maxOutputBytes` if that was given, and else no limit, for a stream keeps nothing in memory. */
  maxOutputBytes?: number;
}

export const DECOMPRESS_OPTION_RULES: OptionRules<DecompressOptions> = {
  ...ACQUIRE_OPTION_RULES,
  maxOutputBytes: MAX_OUTPUT_BYTES_RULE,
};

/** What of the options is for the pool, which refuses what it does not know. */
export const waitOf = ({ signal, timeoutMs, priority }: AcquireOptions): AcquireOptions => ({
  signal,
  timeoutMs,
  priority,
});
