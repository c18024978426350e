import zlib from 'node:zlib';
import type { Codec, CoderOptions } from './codec.js';
import { trailing, type CompressionError, type Culprit } from './compression.errors.js';
import {
  CHUNK_BYTES,
  explain,
  StreamCoder,
  type StreamCoderOptions,
  type ZlibError,
  type ZlibStream,
} from './stream-coder.js';

const { Z_FINISH, Z_MIN_LEVEL, Z_MAX_LEVEL } = zlib.constants;

/** zlib's three formats differ in their wrapping only. A context serves one input after the other: write, then reset. */
function deflateCodec(
  name: string,
  createCompress: (options: zlib.ZlibOptions) => ZlibStream,
  createDecompress: (options: zlib.ZlibOptions) => ZlibStream,
  explainError?: StreamCoderOptions['explain'],
): Codec {
  const coder = (stream: ZlibStream, { pool }: CoderOptions) =>
    new StreamCoder({ stream, resetAfterRun: true, culprit: { pool, codec: name }, explain: explainError });
  const options = { flush: Z_FINISH, chunkSize: CHUNK_BYTES };
  return {
    name,
    levels: [Z_MIN_LEVEL, Z_MAX_LEVEL],
    createCompressor: (given) => coder(createCompress({ ...options, level: given.level }), given),
    createDecompressor: (given) => coder(createDecompress(options), given),
  };
}

/**
 * zlib takes what follows a member for the next one and finds no header there; the first member's it did find, or the input would not
 * begin with gzip's magic number. (A single byte more is too little to tell: such an input counts as truncated.)
 */
function explainGzip(culprit: Culprit, error: ZlibError, input: Uint8Array): CompressionError {
  const isGzip = input[0] === 0x1f && input[1] === 0x8b;
  const noHeader = error.message === 'incorrect header check';
  return isGzip && noHeader ? trailing(culprit, { cause: error }) : explain(culprit, error);
}

export const gzip = deflateCodec('gzip', zlib.createGzip, zlib.createGunzip, explainGzip);
export const deflate = deflateCodec('deflate', zlib.createDeflate, zlib.createInflate);
export const deflateRaw = deflateCodec('deflate-raw', zlib.createDeflateRaw, zlib.createInflateRaw);
