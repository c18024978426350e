import zlib, { type ZlibReset } from 'node:zlib';
import type { Codec } from './codec.js';
import type { Culprit } from './compression.errors.js';
import { FreshCoder } from './fresh-coder.js';
import { CHUNK_BYTES, explain, StreamCoder, type ZlibError, type ZlibStream } from './stream-coder.js';

const {
  BROTLI_MIN_QUALITY,
  BROTLI_MAX_QUALITY,
  BROTLI_OPERATION_FINISH,
  BROTLI_OPERATION_FLUSH,
  BROTLI_PARAM_QUALITY,
  BROTLI_PARAM_SIZE_HINT,
} = zlib.constants;

/** Node's default, 11, is made for files that are compressed once: it takes a hundred times as long as this. */
const DEFAULT_QUALITY = 4;

/** Node's brotli loses its quality when it is reset, so each input gets a compressor of its own. A decompressor has nothing to lose. */
export const brotli: Codec = {
  name: 'brotli',
  levels: [BROTLI_MIN_QUALITY, BROTLI_MAX_QUALITY],
  createCompressor: ({ pool, level = DEFAULT_QUALITY }) =>
    new FreshCoder(({ byteLength }) => {
      const params = { [BROTLI_PARAM_QUALITY]: level, [BROTLI_PARAM_SIZE_HINT]: byteLength };
      const stream = zlib.createBrotliCompress({ flush: BROTLI_OPERATION_FINISH, params });
      return new StreamCoder({ stream, resetAfterRun: false, culprit: culpritOf(pool) });
    }),
  createDecompressor: ({ pool }) => {
    const stream = zlib.createBrotliDecompress({ ...IN_PIECES, flush: BROTLI_OPERATION_FINISH });
    return new StreamCoder({ stream, resetAfterRun: true, culprit: culpritOf(pool) });
  },
  createCompressStream: ({ pool, level = DEFAULT_QUALITY }) => {
    const stream = zlib.createBrotliCompress({ ...IN_PIECES, params: { [BROTLI_PARAM_QUALITY]: level } });
    return {
      stream,
      flush: (done) => stream.flush(BROTLI_OPERATION_FLUSH, done),
      explain: (error: ZlibError) => explain(culpritOf(pool), error),
    };
  },
  createDecompressStream: ({ pool }) => {
    const stream = zlib.createBrotliDecompress(IN_PIECES);
    return {
      stream,
      finish: (done) => stream.flush(BROTLI_OPERATION_FINISH, done),
      renew: () => (stream as ZlibStream & ZlibReset).reset(),
      explain: (error: ZlibError) => explain(culpritOf(pool), error),
    };
  },
};

const IN_PIECES = { chunkSize: CHUNK_BYTES };

const culpritOf = (pool: string): Culprit => ({ pool, codec: 'brotli' });
