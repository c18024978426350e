import { Duplex } from 'node:stream';
import { breakageOf, type Lease } from '../core/lease.js';
import { BlockCoder } from './block-coder.js';
import type { CodecContext } from './codec-context.js';
import { outputTooLarge } from './compression.errors.js';
import type { Direction } from './direction.js';
import type { InBlocks } from './in-blocks.js';
import { bytesOf } from './input-bytes.js';
import type { PieceCoder, Sink } from './piece-coder.js';

export interface PooledStreamOptions {
  readonly pool: string;
  readonly direction: 'compressing' | 'decompressing';
  /** Waits for a context until the signal aborts. */
  readonly acquire: (signal: AbortSignal) => Promise<Lease<CodecContext>>;
  readonly maxOutputBytes: number;
  /** How the rest of a large input is compressed by all contexts that are free; nothing where it is not. */
  readonly inBlocks?: InBlocks;
  /** Destroys the stream with its reason. */
  readonly signal?: AbortSignal;
}

/** What works on the input of a stream. */
type Work = Pick<PieceCoder, 'write' | 'end' | 'resume'>;

/** The callback of a stream's method. */
type Callback = (error?: Error | null) => void;

/**
 * What `createCompress()` and `createDecompress()` give: as the streams of zlib, for `pipeline()`. It waits for a context when its first
 * byte arrives (or its end), holds it until its last byte was read, and gives back a clean one only.
 *
 * @publicApi
 * @example
 * await pipeline(createReadStream('log'), pool.createCompress({ signal }), createWriteStream('log.gz'));
 */
export class PooledStream extends Duplex {
  readonly #options: PooledStreamOptions;
  readonly #leaving = new AbortController();
  readonly #sink: Sink = {
    take: (chunk) => this.#give(chunk),
    ended: () => this.#then?.(),
    failed: (error) => this.destroy((this.#lease && breakageOf(this.#lease)) ?? error),
  };
  #lease: Lease<CodecContext> | undefined;
  #direction: Direction | undefined;
  #coder: Work | undefined;
  #blocks: BlockCoder | undefined;
  /** What follows when all output was given: the end of the stream, or of its first part. */
  #then: Callback | undefined;
  #bytesIn = 0;
  #bytesOut = 0;

  /** @internal Streams are made by pools. */
  constructor(options: PooledStreamOptions) {
    super();
    this.#options = options;
    const { signal } = options;
    if (signal?.aborted === true) this.#abort();
    else signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** Bytes that were taken in and worked on, or gathered to be. */
  get bytesIn(): number {
    return this.#bytesIn;
  }

  /** Bytes that were given out, or are ready to be read. */
  get bytesOut(): number {
    return this.#bytesOut;
  }

  override _write(piece: Uint8Array, _encoding: BufferEncoding, callback: Callback): void {
    const bytes = bytesOf(piece);
    const taken = (): void => {
      this.#bytesIn += bytes.length;
      if (this.#mayGoOnInBlocks) this.#goOnInBlocks(callback);
      else callback();
    };
    this.#withCoder((coder) => coder.write(bytes, taken), callback);
  }

  override _final(callback: Callback): void {
    this.#then = () => {
      this.#leave('ended');
      this.push(null);
      callback();
    };
    this.#withCoder((coder) => coder.end(), callback);
  }

  override _read(): void {
    this.#coder?.resume();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#leaving.abort();
    this.#leave('half way');
    callback(error);
  }

  #withCoder(work: (coder: Work) => void, failed: Callback): void {
    if (this.#coder !== undefined) work(this.#coder);
    else this.#enter().then(work).catch(failed);
  }

  async #enter(): Promise<Work> {
    const { acquire, direction } = this.#options;
    const lease = await acquire(this.#leaving.signal);
    try {
      this.#leaving.signal.throwIfAborted();
      this.#direction = lease.resource[direction];
      this.#coder = this.#direction.enter(this.#sink);
      this.#lease = lease;
      return this.#coder;
    } catch (error) {
      void lease.release();
      throw error;
    }
  }

  #give(chunk: Buffer): boolean {
    const { pool, maxOutputBytes } = this.#options;
    this.#bytesOut += chunk.length;
    if (this.#bytesOut <= maxOutputBytes) return this.push(chunk);
    this.destroy(outputTooLarge(pool, maxOutputBytes));
    return false;
  }

  /** The stream is large, and another context is free: as long as none is, blocks would only make the output larger. */
  get #mayGoOnInBlocks(): boolean {
    const { inBlocks } = this.#options;
    if (inBlocks === undefined || this.#blocks !== undefined) return false;
    return this.#bytesIn > inBlocks.aboveBytes && inBlocks.helpers.areFree();
  }

  /** What came so far becomes an output of its own. */
  #goOnInBlocks(callback: Callback): void {
    this.#then = () => {
      const { inBlocks } = this.#options;
      if (this.#lease === undefined || inBlocks === undefined) return;
      this.#direction?.leave('ended');
      this.#direction?.stay(this.#sink);
      this.#blocks = new BlockCoder({ ...inBlocks, own: this.#lease.resource, sink: this.#sink });
      this.#coder = this.#blocks;
      callback();
    };
    this.#coder?.end();
  }

  #leave(outcome: 'ended' | 'half way'): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    this.#lease = this.#coder = undefined;
    const rest = this.#blocks?.close();
    const giveBack = () => {
      this.#direction?.leave(outcome);
      void lease.release();
    };
    if (rest === undefined) giveBack();
    else void rest.then(giveBack);
  }

  readonly #abort = (): void => {
    this.destroy(this.#options.signal?.reason as Error);
  };
}
