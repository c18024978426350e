import type { Coder } from './codec.js';

/** For codecs that cannot begin again: a new coder for each input, closed when that is done. */
export class FreshCoder implements Coder {
  readonly #make: (input: Uint8Array) => Coder;
  #coder: Coder | undefined;

  constructor(make: (input: Uint8Array) => Coder) {
    this.#make = make;
  }

  async run(input: Uint8Array, maxOutputBytes: number): Promise<Buffer> {
    this.#coder = this.#make(input);
    try {
      return await this.#coder.run(input, maxOutputBytes);
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#coder?.close();
  }
}
