import { PoolError } from '../core/pool.errors.js';

/** The stable codes of {@link CompressionError}. */
export type CompressionErrorCode =
  /** The input is no bytes at all. */
  | 'ERR_POOL_INPUT_TYPE'
  /** The input ends before the compressed data does. */
  | 'ERR_POOL_INPUT_TRUNCATED'
  /** The input is not what the pool's algorithm writes, or was damaged. */
  | 'ERR_POOL_INPUT_CORRUPT'
  /** Bytes follow the end of the compressed data. */
  | 'ERR_POOL_INPUT_TRAILING'
  /** The input is longer than one call can take. */
  | 'ERR_POOL_INPUT_TOO_LARGE'
  /** The output passed `maxOutputBytes`; decoding was stopped there. */
  | 'ERR_POOL_OUTPUT_TOO_LARGE'
  /** Nothing is said about the input: the context was closed while it worked, was busy, or got no memory. */
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

/** Who failed: the pool and the codec, by their names. */
export interface Culprit {
  readonly pool: string;
  readonly codec: string;
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

export function trailing({ pool, codec }: Culprit, options?: ErrorOptions): CompressionError {
  return new CompressionError(
    'ERR_POOL_INPUT_TRAILING',
    pool,
    `bytes follow the end of the ${codec} input`,
    options,
  );
}

export function inputTooLarge({ pool }: Culprit, bytes: number, mostBytes: number): CompressionError {
  const message = `the input has ${bytes} bytes; one call takes at most ${mostBytes}`;
  return new CompressionError('ERR_POOL_INPUT_TOO_LARGE', pool, message);
}

export function outputTooLarge({ pool }: Culprit, maxOutputBytes: number): CompressionError {
  const message = `the output is larger than ${maxOutputBytes} bytes (maxOutputBytes)`;
  return new CompressionError('ERR_POOL_OUTPUT_TOO_LARGE', pool, message);
}

export function failed({ pool, codec }: Culprit, why: string, options?: ErrorOptions): CompressionError {
  return new CompressionError('ERR_POOL_COMPRESSION_FAILED', pool, `${codec} failed: ${why}`, options);
}
