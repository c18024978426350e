import zlib from 'node:zlib';
import type { Codec, CoderOptions } from './codec.js';
import { FreshCoder } from './fresh-coder.js';
import { StreamCoder, type ZlibStream } from './stream-coder.js';

const {
  BROTLI_MIN_QUALITY,
  BROTLI_MAX_QUALITY,
  BROTLI_OPERATION_FINISH: flush,
  BROTLI_PARAM_QUALITY,
  BROTLI_PARAM_SIZE_HINT,
} = zlib.constants;

/** Node's default, 11, is made for files that are compressed once: it takes a hundred times as long as this. */
const DEFAULT_QUALITY = 4;

/** Node's brotli loses its quality when it is reset, so each input gets a context of its own. */
export const brotli: Codec = {
  name: 'brotli',
  levels: [BROTLI_MIN_QUALITY, BROTLI_MAX_QUALITY],
  createCompressor: ({ pool, level = DEFAULT_QUALITY }) =>
    new FreshCoder(({ byteLength }) => {
      const params = { [BROTLI_PARAM_QUALITY]: level, [BROTLI_PARAM_SIZE_HINT]: byteLength };
      return coder(zlib.createBrotliCompress({ flush, params }), { pool });
    }),
  createDecompressor: ({ pool }) =>
    new FreshCoder(() => coder(zlib.createBrotliDecompress({ flush }), { pool })),
};

function coder(stream: ZlibStream, { pool }: CoderOptions): StreamCoder {
  return new StreamCoder({ stream, resetAfterRun: false, culprit: { pool, codec: 'brotli' } });
}
