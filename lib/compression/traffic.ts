/**
 * What went through one direction of a compression pool, over its life.
 *
 * @publicApi
 */
export interface TrafficStats {
  /** Bytes of inputs that were worked on to the end. */
  readonly bytesIn: number;
  /** Bytes that came of them. */
  readonly bytesOut: number;
  /** How many bytes one compressed byte stands for: 4 where the compressed form is a quarter. 0 before there was any. */
  readonly ratio: number;
  /** Uncompressed bytes that one context takes or gives in a second of work. 0 before there was any. */
  readonly bytesPerSecond: number;
}

/** Counts what goes through one direction of all contexts of a pool. */
export class Traffic {
  readonly #direction: 'compress' | 'decompress';
  #bytesIn = 0;
  #bytesOut = 0;
  #workMs = 0;

  constructor(direction: 'compress' | 'decompress') {
    this.#direction = direction;
  }

  count(bytesIn: number, bytesOut: number, workMs: number): void {
    this.#bytesIn += bytesIn;
    this.#bytesOut += bytesOut;
    this.#workMs += workMs;
  }

  read(): TrafficStats {
    const [bytesIn, bytesOut] = [this.#bytesIn, this.#bytesOut];
    const [plain, packed] = this.#direction === 'compress' ? [bytesIn, bytesOut] : [bytesOut, bytesIn];
    return {
      bytesIn,
      bytesOut,
      ratio: packed === 0 ? 0 : plain / packed,
      bytesPerSecond: this.#workMs === 0 ? 0 : (plain / this.#workMs) * 1_000,
    };
  }
}
