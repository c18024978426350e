import zlib, { type ZlibOptions, type ZlibReset } from 'node:zlib';
import type { Codec, CodecStream, Joiner } from './codec.js';
import type { Culprit } from './compression.errors.js';
import { explainGunzip, explainingGunzip } from './explain-gunzip.js';
import { GzipJoiner } from './gzip-joiner.js';
import {
  CHUNK_BYTES,
  explain,
  StreamCoder,
  type Explain,
  type ZlibError,
  type ZlibStream,
} from './stream-coder.js';

const { Z_SYNC_FLUSH, Z_FINISH, Z_MIN_LEVEL, Z_MAX_LEVEL } = zlib.constants;

/** What tells zlib's formats apart: their wrapping, and so what can be wrong with it. */
interface Format {
  readonly name: string;
  readonly createCompress: (options: ZlibOptions) => ZlibStream;
  readonly createDecompress: (options: ZlibOptions) => ZlibStream;
  readonly leastBlockBytes?: number;
  readonly createJoiner?: () => Joiner;
  readonly takesDictionary?: boolean;
  readonly explain?: Explain;
  readonly explaining?: (culprit: Culprit, parts: CodecStream) => CodecStream;
}

/** A context serves one input after the other: write, finish, reset. */
function deflateCodec(format: Format): Codec {
  const { name, createCompress, createDecompress, explaining = (_, parts) => parts } = format;
  const culpritOf = (pool: string): Culprit => ({ pool, codec: name });
  const coder = (stream: ZlibStream, pool: string) =>
    new StreamCoder({ stream, resetAfterRun: true, culprit: culpritOf(pool), explain: format.explain });
  return {
    name,
    levels: [Z_MIN_LEVEL, Z_MAX_LEVEL],
    leastBlockBytes: format.leastBlockBytes,
    createJoiner: format.createJoiner,
    takesDictionary: format.takesDictionary,
    createCompressor: ({ pool, ...how }) => coder(createCompress({ ...WHOLE, ...how }), pool),
    createDecompressor: ({ pool, dictionary }) => coder(createDecompress({ ...WHOLE, dictionary }), pool),
    createCompressStream: ({ pool, ...how }) => {
      const stream = createCompress({ ...IN_PIECES, ...how });
      const flush = (done: () => void): void => stream.flush(Z_SYNC_FLUSH, done);
      return { ...inPieces(culpritOf(pool), stream), flush, endBlock: flush };
    },
    createDecompressStream: ({ pool, dictionary }) =>
      explaining(culpritOf(pool), inPieces(culpritOf(pool), createDecompress({ ...IN_PIECES, dictionary }))),
  };
}

const IN_PIECES = { chunkSize: CHUNK_BYTES };
const WHOLE = { ...IN_PIECES, flush: Z_FINISH };

const inPieces = (culprit: Culprit, stream: ZlibStream): CodecStream => ({
  stream,
  finish: (done) => stream.flush(Z_FINISH, done),
  renew: () => (stream as ZlibStream & ZlibReset).reset(),
  explain: (error: ZlibError) => explain(culprit, error),
});

export const gzip = deflateCodec({
  name: 'gzip',
  createCompress: zlib.createGzip,
  createDecompress: zlib.createGunzip,
  leastBlockBytes: 1,
  createJoiner: () => new GzipJoiner(),
  explain: explainGunzip,
  explaining: explainingGunzip,
});

export const deflate = deflateCodec({
  name: 'deflate',
  createCompress: zlib.createDeflate,
  createDecompress: zlib.createInflate,
  takesDictionary: true,
});

export const deflateRaw = deflateCodec({
  name: 'deflate-raw',
  createCompress: zlib.createDeflateRaw,
  createDecompress: zlib.createInflateRaw,
  takesDictionary: true,
});
