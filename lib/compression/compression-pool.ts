import { AsyncResource } from 'node:async_hooks';
import type { Observable } from 'rxjs';
import { acquiring } from '../core/channels.js';
import type { PartReport } from '../core/drain-report.js';
import { optionProblems } from '../core/option-rules.js';
import type { PoolDescription } from '../core/pool.description.js';
import { PoolOptionsError } from '../core/pool.errors.js';
import { checkOptions } from '../core/pool.options.js';
import { ACQUIRE_OPTION_RULES, ResourcePool } from '../core/resource-pool.js';
import type { AcquireOptions } from '../core/waiter.js';
import { ByteBudget } from './byte-budget.js';
import {
  DECOMPRESS_OPTION_RULES,
  waitOf,
  type CompressStreamOptions,
  type DecompressOptions,
  type DecompressStreamOptions,
} from './call.options.js';
import type { CompressionPoolStats } from './compression-pool.stats.js';
import { CodecCalls, type CodecCall } from './codec-calls.js';
import { CodecContext, newTraffic, type CodecTraffic } from './codec-context.js';
import type { Codec } from './codec.js';
import { inputTooLarge, noBytes } from './compression.errors.js';
import {
  resolveCompressionPoolOptions,
  type CompressionLimits,
  type CompressionPoolOptions,
} from './compression.options.js';
import { compressWhole, type InBlocks } from './in-blocks.js';
import { byteLengthOf, type Bytes } from './input-bytes.js';
import { newJoiner } from './joining.js';
import { threadShare, type ThreadUser } from './thread-share.js';
import { PooledStream, type PooledStreamOptions } from './pooled-stream.js';
import { WaitingInput, type InputWork } from './waiting-input.js';

/**
 * Compresses and decompresses with a few contexts that are used again and again, instead of one for each call.
 * Callers beyond `max` wait their turn, so memory stays bounded however many there are. Any other tool reads what it writes.
 *
 * An input must stay as it is until its call has settled, and is not kept after that. An output is the caller's alone.
 *
 * @publicApi
 * @example
 * const pool = new CompressionPool('archive', { type: 'compression', algorithm: 'gzip' });
 * const packed = await pool.compress(JSON.stringify(order), { timeoutMs: 1_000 });
 * const order = JSON.parse((await pool.decompress(packed, { maxOutputBytes: 1_000_000 })).toString());
 */
export class CompressionPool extends ResourcePool<CodecContext> {
  private readonly codec: Codec;
  private readonly isPluggedIn: boolean;
  private readonly calls: CodecCalls;
  private readonly limits: CompressionLimits;
  private readonly inBlocks: InBlocks;
  private readonly compressing: InputWork;
  private readonly decompressing: InputWork;
  private readonly queued: ByteBudget;
  private readonly traffic: CodecTraffic;
  private threads: ThreadUser | undefined;

  /** @throws {PoolOptionsError} names every problem of the options, such as zstd on a Node without it */
  constructor(name: string, options: CompressionPoolOptions) {
    const { codec, level, dictionary, limits, blocks, pool } = resolveCompressionPoolOptions(name, options);
    const traffic = newTraffic();
    const { maxOutputBytes } = limits;
    const parts = { codec, level, dictionary, maxOutputBytes, traffic, pool: name };
    const factory = {
      create: () => {
        this.shareThreads();
        return Promise.resolve(new CodecContext(parts));
      },
      destroy: (context: CodecContext) => context.close(),
      reset: ({ compressing, decompressing }: CodecContext) =>
        compressing.isAtWork || decompressing.isAtWork
          ? Promise.all([compressing.rest(), decompressing.rest()]).then(() => 'keep' as const)
          : 'keep',
    };
    super(name, factory, pool);
    this.codec = codec;
    this.isPluggedIn = typeof options.algorithm !== 'string';
    this.calls = new CodecCalls(name, codec.name);
    this.limits = limits;
    const helpers = {
      areFree: () => this.freeContexts > 0,
      areAwaited: () => super.stats().waiting > 0,
      hire: (signal: AbortSignal) =>
        this.freeContexts > 0 ? this.acquire({ signal, priority: 'low' }) : undefined,
    };
    this.inBlocks = { ...blocks, helpers, newJoiner: () => newJoiner(codec, traffic.compressed) };
    this.queued = new ByteBudget(name, limits.maxQueuedBytes);
    const work: Omit<InputWork, 'task'> = {
      pool: name,
      run: (lease, task, signal) => this.runAlone(lease, task, signal),
      home: new AsyncResource('nestjs-pool'),
      budget: this.queued,
    };
    this.compressing = { ...work, task: (context, bytes) => compressWhole(context, bytes, this.inBlocks) };
    this.decompressing = { ...work, task: (context, bytes) => context.decompress(bytes) };
    this.traffic = traffic;
  }

  /**
   * Compresses one whole input; a string as UTF-8.
   *
   * @throws what `use()` throws: no context in time, the pool is closed, the signal's reason
   * @throws {QueuedBytesError} too many bytes are waiting or worked on already (`maxQueuedBytes`)
   * @throws {CompressionError} the input is of no such type, or larger than `maxInputBytes` or than one call can take (4 GiB)
   */
  compress(input: string | Bytes, options?: AcquireOptions): Promise<Buffer> {
    return this.calls.run('compress', input, () => this.work(this.compressing, input, options));
  }

  /**
   * Decompresses one whole input: what `compress()` gave, here or elsewhere; several gzip members or zstd frames in a row as one.
   *
   * @throws what `use()` throws: no context in time, the pool is closed, the signal's reason
   * @throws {QueuedBytesError} too many bytes are waiting or worked on already (`maxQueuedBytes`)
   * @throws {CompressionError} the input is truncated, corrupt, goes on behind its end, or is larger than `maxInputBytes`; or the
   *   output passed `maxOutputBytes`, where decoding stops
   */
  decompress(input: Bytes, options?: DecompressOptions): Promise<Buffer> {
    const problems = options === undefined ? [] : optionProblems(options, DECOMPRESS_OPTION_RULES);
    if (problems.length > 0) return Promise.reject(new PoolOptionsError(this.name, problems));
    if (typeof input === 'string') return Promise.reject(noBytes(this.name, input));
    const { maxOutputBytes } = options ?? {};
    const work: InputWork =
      maxOutputBytes === undefined
        ? this.decompressing
        : { ...this.decompressing, task: (context, bytes) => context.decompress(bytes, maxOutputBytes) };
    return this.calls.run('decompress', input, () => this.work(work, input, options && waitOf(options)));
  }

  /**
   * A stream that compresses what is written to it, as `zlib.createGzip()` does. It waits for a context when its first byte arrives, and
   * holds it as long as it is open: a slow reader keeps a context from others, so give slow streams a pool of their own.
   *
   * The stream fails with what `acquire()` throws, or with a {@link LeaseBrokenError} where a drain's deadline ended it.
   *
   * @throws {PoolOptionsError} an option makes no sense, or the codec has no streams
   * @example
   * await pipeline(createReadStream('log'), pool.createCompress(), createWriteStream('log.gz'));
   */
  createCompress(options: CompressStreamOptions = {}): PooledStream {
    checkOptions(this.name, options, ACQUIRE_OPTION_RULES);
    if (this.codec.createCompressStream === undefined) throw this.noStreams();
    const { inBlocks } = this;
    return this.stream(options, { direction: 'compressing', maxOutputBytes: Infinity, inBlocks });
  }

  /**
   * A stream that decompresses what is written to it, several gzip members or zstd frames in a row as one. Contexts as for
   * `createCompress()`.
   *
   * The stream fails as that does, and with a {@link CompressionError} as `decompress()`.
   *
   * @throws {PoolOptionsError} an option makes no sense, or the codec has no streams
   * @example
   * await pipeline(request, pool.createDecompress({ maxOutputBytes: 1_000_000_000 }), createWriteStream('upload'));
   */
  createDecompress(options: DecompressStreamOptions = {}): PooledStream {
    checkOptions(this.name, options, DECOMPRESS_OPTION_RULES);
    if (this.codec.createDecompressStream === undefined) throw this.noStreams();
    const { maxOutputBytes = this.limits.maxStreamBytes } = options;
    return this.stream(options, { direction: 'decompressing', maxOutputBytes });
  }

  override stats(): CompressionPoolStats {
    return {
      ...super.stats(),
      queuedBytes: this.queued.taken,
      compressed: this.traffic.compressed.read(),
      decompressed: this.traffic.decompressed.read(),
    };
  }

  override stats$(everyMs?: number): Observable<CompressionPoolStats> {
    return super.stats$(everyMs) as Observable<CompressionPoolStats>;
  }

  /** @internal Calls of `compress()` and `decompress()` that are over. */
  get calls$(): Observable<CodecCall> {
    return this.calls.over;
  }

  /** @internal */
  override get description(): PoolDescription {
    return { kind: 'compression', algorithm: this.codec.name };
  }

  protected override drainApart(timeoutMs: number): Promise<PartReport | undefined> {
    if (this.threads !== undefined) threadShare.leave(this.threads);
    return super.drainApart(timeoutMs);
  }

  /** Not before there is a context: by then somebody may listen to warnings. */
  private shareThreads(): void {
    if (this.threads !== undefined) return;
    this.threads = { name: this.name, max: super.stats().max };
    const warning = threadShare.join(this.threads);
    if (warning !== undefined) this.warn(warning);
  }

  /** Contexts that nobody would miss at this moment. */
  private get freeContexts(): number {
    const { state, waiting, idle, size, max } = super.stats();
    return state === 'open' && waiting === 0 ? idle + Math.max(0, max - size) : 0;
  }

  /** Has a context work on one whole input, which counts against the limits until the call has settled. */
  private work(how: InputWork, input: string | Bytes, options?: AcquireOptions): Promise<Buffer> {
    const work = this.isSeen ? { ...how, home: new AsyncResource('nestjs-pool') } : how;
    return new Promise((settle) => {
      const size = this.admit(input);
      this.acquireFor(new WaitingInput({ work, input, size, signal: options?.signal, settle }), options);
    });
  }

  /**
   * Somebody could tell whether an input is worked on in its caller's async context: a codec of the user's own, or whoever hears that a
   * large input hires other contexts. zlib cannot, so for it nobody's will do, which costs nothing for each of ten thousand who wait.
   */
  private get isSeen(): boolean {
    return this.isPluggedIn || acquiring.hasSubscribers;
  }

  private stream(
    { signal, timeoutMs, priority }: AcquireOptions,
    how: Pick<PooledStreamOptions, 'direction' | 'maxOutputBytes' | 'inBlocks'>,
  ): PooledStream {
    const acquire = (leaving: AbortSignal) => this.acquire({ signal: leaving, timeoutMs, priority });
    return new PooledStream({ ...how, pool: this.name, acquire, signal });
  }

  private noStreams(): PoolOptionsError {
    return new PoolOptionsError(this.name, [`the codec ${this.codec.name} has no streams`]);
  }

  private admit(input: string | Bytes): number {
    const { maxInputBytes } = this.limits;
    const size = byteLengthOf(input, this.name);
    if (maxInputBytes > 0 && size > maxInputBytes)
      throw inputTooLarge(this.name, size, `${maxInputBytes} (maxInputBytes)`);
    this.queued.take(size);
    return size;
  }
}
