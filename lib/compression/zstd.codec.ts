import zlib, { type ZstdOptions } from 'node:zlib';
import type { Codec, Coder, CoderOptions } from './codec.js';
import type { Culprit } from './compression.errors.js';
import { ownMemoryOf } from './own-memory.js';
import { CHUNK_BYTES, explain, explaining, StreamCoder, type ZlibError } from './stream-coder.js';
import { ZstdFrameCutter } from './zstd-frame-cutter.js';
import { zstdFrameEnd, zstdFrames } from './zstd-frames.js';

const {
  ZSTD_e_end,
  ZSTD_e_flush,
  ZSTD_c_compressionLevel,
  ZSTD_c_checksumFlag,
  ZSTD_c_windowLog,
  ZSTD_CLEVEL_DEFAULT,
} = zlib.constants;

/** `ZSTD_minCLevel()` and `ZSTD_maxCLevel()`, which Node does not tell. */
const LEVELS = [-131_072, 22] as const;

/** From here on zstd takes windows of more than the 8 MiB that browsers read (RFC 9659). */
const FIRST_LEVEL_WITH_LARGE_WINDOWS = 20;
const MAX_WINDOW_LOG = 23;

/** zstd finds what repeats within megabytes: frames of 512 KiB made source code a tenth larger, frames of this size a hundredth. */
const LEAST_BLOCK_BYTES = 4_194_304;

/** What keeps this Node from zstd; nothing where it has it. */
export function zstdProblem(): string | undefined {
  if ('createZstdCompress' in zlib) return undefined;
  return `zstd needs Node 22.15 or later, of the 23 line 23.8 or later; this is ${process.versions.node}`;
}

/** What keeps this Node from zstd with a dictionary, though it may have zstd; nothing where it can do it. */
export function zstdDictionaryProblem(version = process.versions.node): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const takesOne = major > 24 || (major === 24 && minor >= 6) || (major === 22 && minor >= 19);
  if (takesOne) return undefined;
  return `a dictionary for zstd needs Node 22.19 or later, of the 24 line 24.6 or later; this is ${version}`;
}

/** A frame's end leaves a context ready for the next one; to reset it would spoil that. */
export const zstd: Codec = {
  name: 'zstd',
  levels: LEVELS,
  leastBlockBytes: LEAST_BLOCK_BYTES,
  joinsOnRequest: true, // Node's own decoder is such a reader: nodejs/node#64741
  takesDictionary: true,
  createCompressor: (options) => {
    const stream = zlib.createZstdCompress({ ...compressOptions(options), flush: ZSTD_e_end });
    return new OneFrame(new StreamCoder({ stream, resetAfterRun: false, culprit: culpritOf(options) }));
  },
  createDecompressor: (options) => {
    const stream = zlib.createZstdDecompress({ ...decompressOptions(options), flush: ZSTD_e_end });
    const culprit = culpritOf(options);
    const explain = explainFor(options);
    return new StreamCoder({ stream, resetAfterRun: false, culprit, split: zstdFrames, explain });
  },
  createCompressStream: (options) => {
    const stream = zlib.createZstdCompress(compressOptions(options));
    return {
      stream,
      flush: (done) => stream.flush(ZSTD_e_flush, done),
      finish: (done) => stream.flush(ZSTD_e_end, done),
      explain: (error: ZlibError) => explain(culpritOf(options), error),
    };
  },
  createDecompressStream: (options) => {
    const culprit = culpritOf(options);
    const explain = explainFor(options);
    const frames = new ZstdFrameCutter(culprit);
    return {
      stream: zlib.createZstdDecompress(decompressOptions(options)),
      cut: (piece) => frames.cut(piece),
      finish: (done) => {
        frames.end();
        done();
      },
      explain: (error: ZlibError) => explain(culprit, error),
    };
  },
};

const IN_PIECES = { chunkSize: CHUNK_BYTES };

const culpritOf = ({ pool }: CoderOptions): Culprit => ({ pool, codec: 'zstd' });

/** A dictionary of raw content has no id, so only the checksum tells that it is another one than the input was compressed with. */
const explainFor = ({ dictionary }: CoderOptions): typeof explain =>
  dictionary === undefined ? explain : explaining(' (or it was compressed with another dictionary)');

const decompressOptions = ({ dictionary }: CoderOptions): ZstdOptions => ({ ...IN_PIECES, dictionary });

function compressOptions({ level = ZSTD_CLEVEL_DEFAULT, dictionary }: CoderOptions): ZstdOptions {
  const params = {
    [ZSTD_c_compressionLevel]: level,
    [ZSTD_c_checksumFlag]: 1,
    ...(level >= FIRST_LEVEL_WITH_LARGE_WINDOWS ? { [ZSTD_c_windowLog]: MAX_WINDOW_LOG } : {}),
  };
  return { ...IN_PIECES, params, dictionary };
}

/** Where a frame fills Node's buffer to the last byte, Node asks for more and gets a second, empty frame. This drops it. */
class OneFrame implements Coder {
  readonly #coder: Coder;

  constructor(coder: Coder) {
    this.#coder = coder;
  }

  async run(input: Uint8Array, maxOutputBytes: number): Promise<Buffer> {
    const output = await this.#coder.run(input, maxOutputBytes);
    const end = zstdFrameEnd(output, 0);
    return ownMemoryOf(output.subarray(0, end));
  }

  close(): Promise<void> {
    return this.#coder.close();
  }
}
