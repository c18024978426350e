import zlib from 'node:zlib';
import type { CompressionAlgorithm } from '../../lib/compression/codecs.js';

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = zlib.constants;

const UNPACK_SO_FAR: Record<CompressionAlgorithm, (packed: Buffer) => Buffer> = {
  gzip: (packed) => zlib.gunzipSync(packed, { finishFlush: Z_SYNC_FLUSH }),
  deflate: (packed) => zlib.inflateSync(packed, { finishFlush: Z_SYNC_FLUSH }),
  'deflate-raw': (packed) => zlib.inflateRawSync(packed, { finishFlush: Z_SYNC_FLUSH }),
  brotli: (packed) => zlib.brotliDecompressSync(packed, { finishFlush: BROTLI_OPERATION_FLUSH }),
  zstd: (packed) => zlib.zstdDecompressSync(packed, { finishFlush: ZSTD_e_flush }),
};

/** All that can be read from the first bytes of an output, as by a decoder to whom the rest has not come yet. */
export const unpackSoFar = (algorithm: CompressionAlgorithm, packed: Buffer): Buffer =>
  packed.length === 0 ? packed : UNPACK_SO_FAR[algorithm](packed);
