import { optionProblems } from '../core/option-rules.js';
import { PoolOptionsError } from '../core/pool.errors.js';
import { ResourcePool } from '../core/resource-pool.js';
import type { AcquireOptions } from '../core/waiter.js';
import { CodecContext } from './codec-context.js';
import {
  MAX_OUTPUT_BYTES_RULE,
  resolveCompressionPoolOptions,
  type CompressionPoolOptions,
} from './compression.options.js';
import { bytesOf, type Bytes } from './input-bytes.js';

/**
 * How one call of `decompress()` differs from what the pool was told.
 *
 * @publicApi
 */
export interface DecompressOptions extends AcquireOptions {
  /** Instead of the pool's `maxOutputBytes`. */
  maxOutputBytes?: number;
}

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
  /** @throws {PoolOptionsError} names every problem of the options, such as zstd on a Node without it */
  constructor(name: string, options: CompressionPoolOptions) {
    const { codec, level, maxOutputBytes, pool } = resolveCompressionPoolOptions(name, options);
    const factory = {
      create: () => Promise.resolve(new CodecContext({ codec, level, maxOutputBytes, pool: name })),
      destroy: (context: CodecContext) => context.close(),
    };
    super(name, factory, pool);
  }

  /**
   * Compresses one whole input; a string as UTF-8.
   *
   * @throws what `use()` throws: no context in time, the pool is closed, the signal's reason
   * @throws {CompressionError} the input is of no such type, or larger than one call can take (4 GiB)
   */
  compress(input: string | Bytes, options?: AcquireOptions): Promise<Buffer> {
    return this.use((context) => {
      const bytes = typeof input === 'string' ? Buffer.from(input) : bytesOf(input, this.name);
      return context.compress(bytes);
    }, options);
  }

  /**
   * Decompresses one whole input: what `compress()` gave, here or elsewhere; several gzip members or zstd frames in a row as one.
   *
   * @throws what `use()` throws: no context in time, the pool is closed, the signal's reason
   * @throws {CompressionError} the input is truncated, corrupt, or goes on behind its end; or the output passed `maxOutputBytes`,
   *   where decoding stops
   */
  async decompress(input: Bytes, options: DecompressOptions = {}): Promise<Buffer> {
    const { maxOutputBytes, ...acquireOptions } = options;
    const problems = optionProblems({ maxOutputBytes }, { maxOutputBytes: MAX_OUTPUT_BYTES_RULE });
    if (problems.length > 0) throw new PoolOptionsError(this.name, problems);
    return this.use(
      (context) => context.decompress(bytesOf(input, this.name), maxOutputBytes),
      acquireOptions,
    );
  }
}
