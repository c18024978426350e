import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

export const KIB = 1_024;
export const MIB = 1_048_576;

const { BROTLI_PARAM_QUALITY } = zlib.constants;

/** As zlib calls what they do. The level is a pool's default, which for brotli is not zlib's. */
export const ALGORITHMS = {
  gzip: { compress: 'gzip', decompress: 'gunzip' },
  deflate: { compress: 'deflate', decompress: 'inflate' },
  zstd: { compress: 'zstdCompress', decompress: 'zstdDecompress' },
  brotli: {
    compress: 'brotliCompress',
    decompress: 'brotliDecompress',
    levels: { params: { [BROTLI_PARAM_QUALITY]: 4 } },
  },
};

/** Why this Node cannot do it, if it cannot. */
export const algorithmMissing = ({ algorithm }) =>
  ALGORITHMS[algorithm].compress in zlib ? undefined : `no ${algorithm} in Node ${process.versions.node}`;

/** What a contender is to do: zlib's method, and options for it. */
export function operationOf(algorithm, direction) {
  const { [direction]: method, levels } = ALGORITHMS[algorithm];
  return { algorithm, direction, method, options: direction === 'compress' ? levels : undefined };
}

/** What zlib's one-shot function makes of it: not what the synchronous one does, which for zstd is up to a twentieth larger. */
export function packed(algorithm, text) {
  const { method, options } = operationOf(algorithm, 'compress');
  return promisify(zlib[method])(text, options);
}

/** What came out of a compressor, as it was before. */
export const unpacked = (algorithm, output) => zlib[`${ALGORITHMS[algorithm].decompress}Sync`](output);

export function sizeName(bytes) {
  return bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
}
