import { AsyncResource } from 'node:async_hooks';
import type { Codec, Coder } from './codec.js';
import { failed, type Culprit } from './compression.errors.js';

export interface CodecContextOptions {
  readonly codec: Codec;
  readonly pool: string;
  readonly level?: number;
  /** What one input may decompress to, where the call does not say. */
  readonly maxOutputBytes: number;
}

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
  readonly #compressing: Direction;
  readonly #decompressing: Direction;
  readonly #maxOutputBytes: number;

  /** @internal Contexts are made by pools. */
  constructor({ codec, pool, level, maxOutputBytes }: CodecContextOptions) {
    const culprit = { pool, codec: codec.name };
    // zlib's handles keep the async context they were made in; a pool makes this object outside of any caller's.
    const home = new AsyncResource('CodecContext');
    const atHome = (make: () => Coder) => () => home.runInAsyncScope(make);
    this.#compressing = new Direction(
      culprit,
      atHome(() => codec.createCompressor({ pool, level })),
    );
    this.#decompressing = new Direction(
      culprit,
      atHome(() => codec.createDecompressor({ pool })),
    );
    this.#maxOutputBytes = maxOutputBytes;
  }

  /**
   * Compresses one input, which must stay as it is until then. One at a time: await it before the next.
   * @throws {CompressionError} the context is at work or closed, or the input is larger than one call can take (4 GiB)
   */
  compress(input: Uint8Array): Promise<Buffer> {
    return this.#compressing.run(input, Infinity);
  }

  /**
   * Decompresses one input, which must stay as it is until then. One at a time: await it before the next.
   * `maxOutputBytes` is the pool's when not given.
   * @throws {CompressionError} as `compress()`; or the input is truncated, corrupt, or goes on behind its end; or the output passed
   *   `maxOutputBytes`, where decoding stops
   */
  decompress(input: Uint8Array, maxOutputBytes = this.#maxOutputBytes): Promise<Buffer> {
    return this.#decompressing.run(input, maxOutputBytes);
  }

  /** Frees both contexts. Work under way is rejected; resolves when none goes on in a thread any more. */
  async close(): Promise<void> {
    await Promise.all([this.#compressing.close(), this.#decompressing.close()]);
  }
}

/** One direction of a context: makes its coder when it is needed, and drops it when it failed. */
class Direction {
  readonly #culprit: Culprit;
  readonly #make: () => Coder;
  #coder: Coder | undefined;
  #state: 'ready' | 'working' | 'closed' = 'ready';

  constructor(culprit: Culprit, make: () => Coder) {
    this.#culprit = culprit;
    this.#make = make;
  }

  async run(input: Uint8Array, maxOutputBytes: number): Promise<Buffer> {
    if (this.#state === 'working')
      throw failed(this.#culprit, 'the context works on another input; await that first');
    if (this.#state === 'closed') throw failed(this.#culprit, 'the context is closed');
    this.#state = 'working';
    try {
      this.#coder ??= this.#make();
      return await this.#coder.run(input, maxOutputBytes);
    } catch (error) {
      await this.#drop();
      throw error;
    } finally {
      if (this.#state === 'working') this.#state = 'ready';
    }
  }

  close(): Promise<void> {
    this.#state = 'closed';
    return this.#drop();
  }

  async #drop(): Promise<void> {
    const coder = this.#coder;
    this.#coder = undefined;
    await coder?.close();
  }
}
