import { QueuedBytesError } from './compression.errors.js';

/**
 * The inputs of calls that wait or run, in bytes, and how many there may be. Callers keep their inputs in memory while they wait, so
 * to count callers alone would not bound it.
 */
export class ByteBudget {
  readonly #pool: string;
  readonly #limit: number;
  #taken = 0;

  /** `limit` in bytes; 0 is none. */
  constructor(pool: string, limit: number) {
    this.#pool = pool;
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes `bytes`, to be given back when the call has settled. An input that is larger than all there is gets it while nobody else
   * has any; else it could never be worked on.
   * @throws {QueuedBytesError} there are not so many left
   */
  take(bytes: number): void {
    const isOver = this.#limit > 0 && this.#taken > 0 && this.#taken + bytes > this.#limit;
    if (isOver) throw new QueuedBytesError(this.#pool, { bytes, taken: this.#taken, limit: this.#limit });
    this.#taken += bytes;
  }

  giveBack(bytes: number): void {
    this.#taken -= bytes;
  }
}
