import zlib from 'node:zlib';
import type { Codec, Coder } from './codec.js';
import { CHUNK_BYTES, StreamCoder } from './stream-coder.js';
import { zstdFrameEnd, zstdFrames } from './zstd-frames.js';

const {
  ZSTD_e_end: flush,
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

/** What keeps this Node from zstd; nothing where it has it. */
export function zstdProblem(): string | undefined {
  if ('createZstdCompress' in zlib) return undefined;
  return `zstd needs Node 22.15 or later, of the 23 line 23.8 or later; this is ${process.versions.node}`;
}

/** A frame's end leaves a context ready for the next one; to reset it would spoil that. */
export const zstd: Codec = {
  name: 'zstd',
  levels: LEVELS,
  createCompressor: ({ pool, level = ZSTD_CLEVEL_DEFAULT }) => {
    const params = {
      [ZSTD_c_compressionLevel]: level,
      [ZSTD_c_checksumFlag]: 1,
      ...(level >= FIRST_LEVEL_WITH_LARGE_WINDOWS ? { [ZSTD_c_windowLog]: MAX_WINDOW_LOG } : {}),
    };
    const stream = zlib.createZstdCompress({ flush, params, chunkSize: CHUNK_BYTES });
    return new OneFrame(new StreamCoder({ stream, resetAfterRun: false, culprit: { pool, codec: 'zstd' } }));
  },
  createDecompressor: ({ pool }) => {
    const stream = zlib.createZstdDecompress({ flush, chunkSize: CHUNK_BYTES });
    return new StreamCoder({
      stream,
      resetAfterRun: false,
      culprit: { pool, codec: 'zstd' },
      split: zstdFrames,
    });
  },
};

/** Where a frame fills Node's buffer to the last byte, Node asks for more and gets a second, empty frame. This drops it. */
class OneFrame implements Coder {
  readonly #coder: Coder;

  constructor(coder: Coder) {
    this.#coder = coder;
  }

  async run(input: Uint8Array, maxOutputBytes: number): Promise<Buffer> {
    const output = await this.#coder.run(input, maxOutputBytes);
    const end = zstdFrameEnd(output, 0);
    return end === output.length ? output : Buffer.from(new Uint8Array(output.subarray(0, end)).buffer);
  }

  close(): Promise<void> {
    return this.#coder.close();
  }
}
