import { isObject } from '../core/option-rules.js';
import { brotli } from './brotli.codec.js';
import type { Codec } from './codec.js';
import { deflate, deflateRaw, gzip } from './deflate.codecs.js';
import { zstd } from './zstd.codec.js';

/** The built-in codecs, by name. */
export const CODECS = { gzip, deflate, 'deflate-raw': deflateRaw, brotli, zstd } as const satisfies Record<
  string,
  Codec
>;

/**
 * The name of a built-in codec.
 *
 * @publicApi
 */
export type CompressionAlgorithm = keyof typeof CODECS;

export function codecOf(algorithm: CompressionAlgorithm | Codec): Codec {
  return typeof algorithm === 'string' ? CODECS[algorithm] : algorithm;
}

export function isAlgorithm(value: unknown): value is CompressionAlgorithm | Codec {
  return typeof value === 'string' ? Object.hasOwn(CODECS, value) : isCodec(value);
}

function isCodec(value: unknown): value is Codec {
  return (
    isObject(value) &&
    typeof value.name === 'string' &&
    typeof value.createCompressor === 'function' &&
    typeof value.createDecompressor === 'function'
  );
}
