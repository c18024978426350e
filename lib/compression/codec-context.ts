import { AsyncResource } from 'node:async_hooks';
import type { Codec } from './codec.js';
import { Direction } from './direction.js';
import { Traffic } from './traffic.js';

export interface CodecContextOptions {
  readonly codec: Codec;
  readonly pool: string;
  readonly level?: number;
  readonly dictionary?: Uint8Array;
  /** What one input may decompress to, where the call does not say. */
  readonly maxOutputBytes: number;
  /** Where the pool counts what its contexts do. */
  readonly traffic?: CodecTraffic;
}

/** What went through all contexts of a pool. */
export interface CodecTraffic {
  readonly compressed: Traffic;
  readonly decompressed: Traffic;
}

export const newTraffic = (): CodecTraffic => ({
  compressed: new Traffic('compress'),
  decompressed: new Traffic('decompress'),
});

/**
 * What a compression pool lends: one context to compress and one to decompress, each made when it is first needed.
 * What failed is closed and made anew for the next input, so one bad input costs one context and never spoils another call.
 *
 * @publicApi
 * @example
 * await pool.use(async (context) => {
 *   for (const page of pages) await write(await context.compress(page));
 * });
 */
export class CodecContext {
  /** @internal For streams. */
  readonly compressing: Direction;
  /** @internal For streams. */
  readonly decompressing: Direction;
  readonly #maxOutputBytes: number;
  readonly #hasJoiner: boolean;

  /** @internal Contexts are made by pools. */
  constructor(options: CodecContextOptions) {
    const { codec, pool, level, dictionary, maxOutputBytes, traffic = newTraffic() } = options;
    const culprit = { pool, codec: codec.name };
    // zlib's handles keep the async context they were made in; a pool makes this object outside of any caller's.
    const home = new AsyncResource('CodecContext');
    const atHome = <T>(make: () => T) => home.runInAsyncScope(make);
    this.compressing = new Direction(culprit, traffic.compressed, {
      coder: () => atHome(() => codec.createCompressor({ pool, level, dictionary })),
      stream: () => atHome(() => codec.createCompressStream?.({ pool, level, dictionary })),
    });
    this.decompressing = new Direction(culprit, traffic.decompressed, {
      coder: () => atHome(() => codec.createDecompressor({ pool, dictionary })),
      stream: () => atHome(() => codec.createDecompressStream?.({ pool, dictionary })),
    });
    this.#maxOutputBytes = maxOutputBytes;
    this.#hasJoiner = codec.createJoiner !== undefined;
  }

  /**
   * Compresses one input, which must stay as it is until then. One at a time: await it before the next.
   * @throws {CompressionError} the context is at work or closed, or the input is larger than one call can take (4 GiB)
   */
  compress(input: Uint8Array): Promise<Buffer> {
    return this.compressing.run(input, Infinity);
  }

  /** @internal Compresses one block of a larger input, to be joined with others. */
  compressBlock(block: Uint8Array): Promise<Buffer> {
    return this.#hasJoiner ? this.compressing.runBlock(block) : this.compress(block);
  }

  /**
   * Decompresses one input, which must stay as it is until then. One at a time: await it before the next.
   * `maxOutputBytes` is the pool's when not given.
   * @throws {CompressionError} as `compress()`; or the input is truncated, corrupt, or goes on behind its end; or the output passed
   *   `maxOutputBytes`, where decoding stops
   */
  decompress(input: Uint8Array, maxOutputBytes = this.#maxOutputBytes): Promise<Buffer> {
    return this.decompressing.run(input, maxOutputBytes);
  }

  /** Frees both contexts. Work under way is rejected; resolves when none goes on in a thread any more. */
  async close(): Promise<void> {
    await Promise.all([this.compressing.close(), this.decompressing.close()]);
  }
}
