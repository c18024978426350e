import { Duplex, finished } from 'node:stream';
import { heedSignal } from '../core/heed-signal.js';
import { breakageOf, type Lease } from '../core/lease.js';
import { after } from './after.js';
import { BlockCoder } from './block-coder.js';
import type { Joiner } from './codec.js';
import type { CodecContext } from './codec-context.js';
import { outputTooLarge } from './compression.errors.js';
import type { Direction, Ending } from './direction.js';
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
type Work = Pick<PieceCoder, 'write' | 'flush' | 'end' | 'resume'> & Partial<Pick<PieceCoder, 'endBlock'>>;

/** The callback of a stream's method. */
type Callback = (error?: Error | null) => void;

/** Stands for a flush among the pieces that wait to be written, as such a piece does in Node's own streams. */
const FLUSH = Buffer.alloc(0);

/** For the joiner: the output of a piece goes out as it comes. */
const GONE = Buffer.alloc(0);

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
  readonly #joiner: Joiner | undefined;
  #lease: Lease<CodecContext> | undefined;
  #direction: Direction | undefined;
  #coder: Work | undefined;
  #blocks: BlockCoder | undefined;
  /** What follows when all output was given: the end of the stream, or of its first part. */
  #then: Callback | undefined;
  /** The callback of the write or flush that is under way. */
  #underWay: Callback | undefined;
  #bytesIn = 0;
  /** How many bytes had come in at the last flush. */
  #bytesFlushed = 0;
  #bytesOut = 0;

  /** @internal Streams are made by pools. */
  constructor(options: PooledStreamOptions) {
    super();
    const { signal, inBlocks } = options;
    this.#options = options;
    this.#joiner = inBlocks?.newJoiner();
    if (signal?.aborted === true) this.#abort();
    else if (signal !== undefined) heedSignal(signal, this.#abort);
  }

  /** Bytes that were taken in and worked on, or gathered to be. */
  get bytesIn(): number {
    return this.#bytesIn;
  }

  /** Bytes that were given out, or are ready to be read. */
  get bytesOut(): number {
    return this.#bytesOut;
  }

  /**
   * Has everything that was written before come out, so that whoever reads it can decompress all of it: for server-sent events, long
   * polls and whatever else has to arrive before the stream ends. What is written later comes behind it. Each flush makes the output a
   * few bytes larger, unless nothing was written since the last one; and a stream that was flushed before it went on in blocks stays in
   * one piece. On a decompressing stream, which holds nothing back, it does nothing but call back in its turn.
   *
   * `callback` is called once: when the output is ready to be read, or with an error if the stream is destroyed before. As with Node's
   * own streams, output that is more than the stream keeps ready for its reader waits until somebody reads, and `callback` with it; a
   * flush after `end()` is called back when the stream has ended, and one of a stream that was destroyed with `ERR_STREAM_DESTROYED`.
   *
   * The stream fails with a {@link CompressionError} if its codec cannot flush; all built-in ones can.
   *
   * @example
   * events.pipe(response);
   * events.write(`data: ${JSON.stringify(event)}\n\n`);
   * events.flush();
   */
  flush(callback: Callback = () => undefined): void {
    if (this.writableFinished) process.nextTick(callback);
    else if (this.writableEnded) finished(this, { writable: false }, callback);
    else this.write(FLUSH, (error) => callback(error ?? (this.#leaving.signal.reason as Error | undefined)));
  }

  override _write(piece: Uint8Array, _encoding: BufferEncoding, callback: Callback): void {
    this.#underWay = callback;
    if (piece === FLUSH) return this.#flush();
    const bytes = bytesOf(piece);
    const taken = (): void => {
      this.#bytesIn += bytes.length;
      if (this.#blocks === undefined) this.#joiner?.add(bytes, GONE);
      if (this.#mayGoOnInBlocks) this.#goOnInBlocks();
      else this.#done();
    };
    this.#withCoder((coder) => coder.write(bytes, taken), this.#done);
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
    this.#leaving.abort(error ?? undefined);
    this.#leave('half way');
    this.#done(error);
    callback(error);
  }

  readonly #done: Callback = (error) => {
    const callback = this.#underWay;
    this.#underWay = undefined;
    callback?.(error);
  };

  /** An encoder would write its mark of a flush again where nothing has come since the last one. */
  #flush(): void {
    const isNews = this.#bytesIn > this.#bytesFlushed && this.#options.direction === 'compressing';
    this.#bytesFlushed = this.#bytesIn;
    if (isNews) this.#coder?.flush(this.#done);
    else this.#done();
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

  /**
   * The stream is large, and another context is free: as long as none is, blocks would only make the output larger. So would they where
   * somebody flushes, for each flush would end one.
   */
  get #mayGoOnInBlocks(): boolean {
    const { inBlocks } = this.#options;
    if (inBlocks === undefined || this.#blocks !== undefined || this.#bytesFlushed > 0) return false;
    return this.#bytesIn > inBlocks.aboveBytes && inBlocks.helpers.areFree();
  }

  /** What came so far becomes the first block. */
  #goOnInBlocks(): void {
    this.#then = () => {
      const { inBlocks } = this.#options;
      const joiner = this.#joiner;
      if (this.#lease === undefined || inBlocks === undefined || joiner === undefined) return;
      void this.#direction?.leave('ended');
      this.#direction?.stay(this.#sink);
      this.#blocks = new BlockCoder({ ...inBlocks, joiner, own: this.#lease.resource, sink: this.#sink });
      this.#coder = this.#blocks;
      this.#done();
    };
    this.#coder?.endBlock?.();
  }

  #leave(ending: Ending): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    this.#lease = this.#coder = undefined;
    const left = after(this.#blocks?.close(), () => this.#direction?.leave(ending));
    void after(left, () => void lease.release());
  }

  readonly #abort = (): void => {
    this.destroy(this.#options.signal?.reason as Error);
  };
}
