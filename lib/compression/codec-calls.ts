import { Subject } from 'rxjs';
import { compressing, decompressing, traced, type CodecOperation } from '../core/channels.js';
import { byteLengthOf, type Bytes } from './input-bytes.js';

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
    const channel = CHANNELS[direction];
    const isTraced = channel.hasSubscribers;
    if (!isTraced && !this.over.observed) return work();
    const operation = { pool: this.#pool, algorithm: this.#algorithm, inputBytes: sizeOf(input) };
    const watched = () => this.#watch(direction, operation, work);
    return isTraced ? traced(channel, operation, watched) : watched();
  }

  /** Hears of the outcome before all others, since it asks first; what they get is untouched, and comes no later. */
  #watch(
    direction: CodecCall['direction'],
    operation: CodecOperation,
    work: () => Promise<Buffer>,
  ): Promise<Buffer> {
    const startedAt = performance.now();
    const tell = (outputBytes?: number, error?: unknown) => {
      if (!this.over.observed) return;
      const durationMs = performance.now() - startedAt;
      this.over.next({ direction, durationMs, inputBytes: operation.inputBytes, outputBytes, error });
    };
    const working = work();
    working.then(
      ({ length }) => {
        operation.outputBytes = length;
        tell(length);
      },
      (error: unknown) => tell(undefined, error),
    );
    return working;
  }
}

/** Whatever the input is; what is wrong with it is for others to say. */
function sizeOf(input: string | Bytes): number {
  try {
    return byteLengthOf(input, '');
  } catch {
    return 0;
  }
}
