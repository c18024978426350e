import { PoolError, PoolQueueFullError } from '../core/pool.errors.js';

/** The stable codes of {@link CompressionError}. */
export type CompressionErrorCode =
  /** The input is no bytes at all; or its memory was transferred or cut short before it was worked on. */
  | 'ERR_POOL_INPUT_TYPE'
  /** The input ends before the compressed data does. */
  | 'ERR_POOL_INPUT_TRUNCATED'
  /** The input is not what the pool's algorithm writes, or was damaged. */
  | 'ERR_POOL_INPUT_CORRUPT'
  /** The input was compressed with a dictionary that the pool does not have. */
  | 'ERR_POOL_INPUT_DICTIONARY'
  /** Bytes follow the end of the compressed data. */
  | 'ERR_POOL_INPUT_TRAILING'
  /** The input is longer than `maxInputBytes`, or than one call can take (4 GiB). */
  | 'ERR_POOL_INPUT_TOO_LARGE'
  /** The output passed `maxOutputBytes`; decoding was stopped there. */
  | 'ERR_POOL_OUTPUT_TOO_LARGE'
  /**
   * Nothing is said about the input: the context was closed while it worked, was busy, got no memory, or its codec cannot flush or closed
   * its stream.
   */
  | 'ERR_POOL_COMPRESSION_FAILED';

/**
 * An input could not be compressed or decompressed. The zlib context that met it was closed and is never used again.
 *
 * @publicApi
 * @example
 * catch (error) {
 *   if (error instanceof CompressionError && error.code === 'ERR_POOL_OUTPUT_TOO_LARGE') reply.status(413);
 * }
 */
export class CompressionError extends PoolError {
  declare readonly code: CompressionErrorCode;

  constructor(code: CompressionErrorCode, pool: string, message: string, options?: ErrorOptions) {
    super(code, pool, message, options);
  }
}

/**
 * The inputs of the calls that wait or run have as many bytes as `maxQueuedBytes` allows; this call was refused at once. A
 * {@link PoolQueueFullError}, so that whoever sheds load need not tell the two apart.
 *
 * @publicApi
 */
export class QueuedBytesError extends PoolQueueFullError {
  constructor(pool: string, { bytes, taken, limit }: { bytes: number; taken: number; limit: number }) {
    const what = `the inputs of calls that wait or run have ${taken} bytes, and with ${bytes} more would pass ${limit}`;
    super(pool, `${what} (maxQueuedBytes); shed load, raise max, or raise maxQueuedBytes`);
  }
}

/** Who failed: the pool and the codec, by their names. */
export interface Culprit {
  readonly pool: string;
  readonly codec: string;
}

/** What a pool takes; a context that was leased takes less. */
const ANY_BYTES =
  'an ArrayBuffer or a view of one, such as a Buffer (and to be compressed it may be a string)';

export function noBytes(pool: string, input: unknown, wanted = ANY_BYTES): CompressionError {
  const message = `the input must be ${wanted}; got ${typeof input}`;
  return new CompressionError('ERR_POOL_INPUT_TYPE', pool, message);
}

export function noLongerThere(pool: string): CompressionError {
  const message = 'the memory of the input was transferred or cut short before it was worked on';
  return new CompressionError('ERR_POOL_INPUT_TYPE', pool, message);
}

export function truncated({ pool, codec }: Culprit, options?: ErrorOptions): CompressionError {
  return new CompressionError('ERR_POOL_INPUT_TRUNCATED', pool, `the ${codec} input ends too early`, options);
}

export function corrupt({ pool, codec }: Culprit, why: string, options?: ErrorOptions): CompressionError {
  return new CompressionError(
    'ERR_POOL_INPUT_CORRUPT',
    pool,
    `the input is no valid ${codec}: ${why}`,
    options,
  );
}

export function wrongDictionary({ pool, codec }: Culprit, options?: ErrorOptions): CompressionError {
  const message = `the ${codec} input was compressed with a dictionary, which is not the one of this pool (dictionary)`;
  return new CompressionError('ERR_POOL_INPUT_DICTIONARY', pool, message, options);
}

export function trailing({ pool, codec }: Culprit, options?: ErrorOptions): CompressionError {
  return new CompressionError(
    'ERR_POOL_INPUT_TRAILING',
    pool,
    `bytes follow the end of the ${codec} input`,
    options,
  );
}

export function inputTooLarge(pool: string, bytes: number, most: string): CompressionError {
  const message = `the input has ${bytes} bytes; one call takes at most ${most}`;
  return new CompressionError('ERR_POOL_INPUT_TOO_LARGE', pool, message);
}

export function outputTooLarge(pool: string, maxOutputBytes: number): CompressionError {
  const message = `the output is larger than ${maxOutputBytes} bytes (maxOutputBytes)`;
  return new CompressionError('ERR_POOL_OUTPUT_TOO_LARGE', pool, message);
}

export function failed({ pool, codec }: Culprit, why: string, options?: ErrorOptions): CompressionError {
  return new CompressionError('ERR_POOL_COMPRESSION_FAILED', pool, `${codec} failed: ${why}`, options);
}
