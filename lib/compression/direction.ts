import { types } from 'node:util';
import { after } from './after.js';
import type { Coder, CodecStream } from './codec.js';
import { failed, noBytes, type Culprit } from './compression.errors.js';
import { PieceCoder, type Sink } from './piece-coder.js';
import type { Traffic } from './traffic.js';

/** How a direction gets its coders. They are made when they are first needed. */
export interface CoderMakers {
  readonly coder: () => Coder;
  readonly stream: () => CodecStream | undefined;
}

/** How an input was left: when all its output was given, or before that. */
export type Ending = 'ended' | 'half way';

/** One direction of a context: works on one input at a time, whole or in pieces, and drops a coder that failed or was left half way. */
export class Direction {
  readonly #culprit: Culprit;
  readonly #traffic: Traffic;
  readonly #make: CoderMakers;
  #coder: Coder | undefined;
  #pieces: PieceCoder | undefined;
  #staying: Sink | undefined;
  #state: 'ready' | 'working' | 'closed' = 'ready';
  #rested: (() => void) | undefined;

  constructor(culprit: Culprit, traffic: Traffic, make: CoderMakers) {
    this.#culprit = culprit;
    this.#traffic = traffic;
    this.#make = make;
  }

  /** Works on one whole input. */
  async run(input: Uint8Array, maxOutputBytes: number): Promise<Buffer> {
    if (!types.isUint8Array(input)) throw noBytes(this.#culprit.pool, input, 'a Uint8Array');
    this.#begin();
    const startedAt = performance.now();
    try {
      this.#coder ??= this.#make.coder();
      const output = await this.#coder.run(input, maxOutputBytes);
      if (!types.isUint8Array(output)) throw failed(this.#culprit, `its coder gave ${typeof output}`);
      this.#traffic.count(input.byteLength, output.byteLength, performance.now() - startedAt);
      return output;
    } catch (error) {
      await this.#drop().catch(() => undefined); // the caller is to hear why his input failed
      throw error;
    } finally {
      this.#end();
    }
  }

  /** Works on one block of a larger input. What goes out for it is counted where it is joined. */
  async runBlock(block: Uint8Array): Promise<Buffer> {
    this.#begin();
    const startedAt = performance.now();
    let ending: Ending = 'half way';
    try {
      this.#pieces ??= this.#makePieces();
      const output = await this.#pieces.runBlock(block);
      this.#traffic.count(block.byteLength, 0, performance.now() - startedAt);
      ending = 'ended';
      return output;
    } finally {
      await this.#endPieces(ending);
    }
  }

  /** Begins an input that comes in pieces; `leave()` ends it, whatever became of it. */
  enter(sink: Sink): PieceCoder {
    this.#begin();
    try {
      this.#pieces ??= this.#makePieces();
      this.#pieces.begin(sink);
      return this.#pieces;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #makePieces(): PieceCoder {
    const stream = this.#make.stream();
    if (stream === undefined) throw failed(this.#culprit, 'it has no streams');
    return new PieceCoder(stream, this.#culprit, this.#traffic);
  }

  /** The input that has left goes on in blocks, which are run one by one: `sink` hears of it when the context is closed. */
  stay(sink: Sink): void {
    this.#staying = sink;
  }

  /** The promise, where there is something to wait for, resolves when no native work goes on and the next input may come. */
  leave(ending: Ending): Promise<void> | undefined {
    this.#staying = undefined;
    return this.#endPieces(ending);
  }

  get isAtWork(): boolean {
    return this.#state === 'working';
  }

  /** Resolves when the input is done with that is worked on. To be asked by one at a time. */
  async rest(): Promise<void> {
    if (this.isAtWork) await new Promise<void>((resolve) => (this.#rested = resolve));
  }

  /** Resolves when no native work goes on. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#staying?.failed(failed(this.#culprit, 'the context was closed while it worked'));
    await Promise.all([this.#dropPieces(), this.#drop()]);
  }

  #begin(): void {
    if (this.#state === 'working')
      throw failed(this.#culprit, 'the context works on another input; await that first');
    if (this.#state === 'closed') throw failed(this.#culprit, 'the context is closed');
    this.#state = 'working';
  }

  #end(): void {
    if (this.#state === 'working') this.#state = 'ready';
    this.#rested?.();
    this.#rested = undefined;
  }

  async #drop(): Promise<void> {
    const coder = this.#coder;
    this.#coder = undefined;
    await coder?.close();
  }

  #endPieces(ending: Ending): Promise<void> | undefined {
    const isSpent = ending === 'half way' || this.#pieces?.isReusable === false;
    return after(isSpent ? this.#dropPieces() : undefined, () => void this.#end());
  }

  /** They are kept until they rest, for whoever closes them meanwhile. */
  #dropPieces(): Promise<void> | undefined {
    return after(this.#pieces?.close(), () => void (this.#pieces = undefined));
  }
}
