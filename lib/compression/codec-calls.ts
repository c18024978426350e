import { Subject } from 'rxjs';
import { compressing, decompressing, traced, type CodecOperation } from '../core/channels.js';
import type { Bytes } from './input-bytes.js';

/** How one call of `compress()` or `decompress()` went. */
export interface CodecCall {
  readonly direction: 'compress' | 'decompress';
  /** All of it, the wait for a context included. */
  readonly durationMs: number;
  readonly inputBytes: number;
  /** Only where it succeeded. */
  readonly outputBytes?: number;
  /** Only where it failed. */
  readonly error?: unknown;
}

const CHANNELS = { compress: compressing, decompress: decompressing };

/** Tells how the calls of a pool go, to whoever listens: to this pool, or on the channels to all. */
export class CodecCalls {
  /** Calls that are over. */
  readonly over = new Subject<CodecCall>();
  readonly #pool: string;
  readonly #algorithm: string;

  constructor(pool: string, algorithm: string) {
    this.#pool = pool;
    this.#algorithm = algorithm;
  }

  run(
    direction: CodecCall['direction'],
    input: string | Bytes,
    work: () => Promise<Buffer>,
  ): Promise<Buffer> {
    const isTraced = CHANNELS[direction].hasSubscribers;
    if (!isTraced && !this.over.observed) return work();
    const startedAt = performance.now();
    const inputBytes = sizeOf(input);
    const working = isTraced ? this.#traced(direction, inputBytes, work) : work();
    if (!this.over.observed) return working;
    const durationMs = () => performance.now() - startedAt;
    working.then(
      ({ length }) =>
        this.over.next({ direction, durationMs: durationMs(), inputBytes, outputBytes: length }),
      (error: unknown) => this.over.next({ direction, durationMs: durationMs(), inputBytes, error }),
    );
    return working;
  }

  #traced(
    direction: CodecCall['direction'],
    inputBytes: number,
    work: () => Promise<Buffer>,
  ): Promise<Buffer> {
    const operation: CodecOperation = { pool: this.#pool, algorithm: this.#algorithm, inputBytes };
    return traced(CHANNELS[direction], operation, () =>
      work().then((output) => {
        operation.outputBytes = output.length;
        return output;
      }),
    );
  }
}

/** Whatever the input is; what is wrong with it is for others to say. */
const sizeOf = (input: string | Bytes): number =>
  typeof input === 'string' ? Buffer.byteLength(input) : (input.byteLength ?? 0);
