import type { Lease } from '../core/lease.js';
import type { CodecContext } from './codec-context.js';
import type { Helpers } from './in-blocks.js';
import type { Sink } from './piece-coder.js';

export interface BlockCoderOptions {
  readonly own: CodecContext;
  readonly blockBytes: number;
  readonly helpers: Helpers;
  readonly sink: Sink;
}

/** Blocks that are worked on or wait to be read; more are not begun, so that memory is bounded. */
const MAX_PENDING = 8;

/**
 * The rest of a large stream: gathers its pieces to blocks, and has each compressed by the stream's own context or by one that is free,
 * which goes when that block is done. Gives the outputs in the order of the blocks.
 */
export class BlockCoder {
  readonly #options: BlockCoderOptions;
  #block: Buffer | undefined;
  #filled = 0;
  #pending: Promise<void>[] = [];
  #ownBlocks = 0;
  /** Resolves when the own context is done with what it was given so far. */
  #ownRest: Promise<unknown> = Promise.resolve();
  #resume: (() => void) | undefined;
  #isOver = false;

  constructor(options: BlockCoderOptions) {
    this.#options = options;
  }

  write(piece: Uint8Array, taken: () => void): void {
    this.#fill(piece).then(taken, this.#fail);
  }

  end(): void {
    this.#finish().catch(this.#fail);
  }

  resume(): void {
    this.#resume?.();
  }

  /** Gives nothing more. Resolves when the own context rests. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.resume();
    await this.#ownRest;
  }

  /** The pieces are their writer's again when they were taken, so they are copied. */
  async #fill(piece: Uint8Array): Promise<void> {
    const { blockBytes } = this.#options;
    for (let at = 0; at < piece.length;) {
      this.#block ??= Buffer.allocUnsafeSlow(blockBytes);
      const part = piece.subarray(at, at + blockBytes - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === blockBytes) await this.#compressBlock();
    }
  }

  async #finish(): Promise<void> {
    if (this.#filled > 0) await this.#compressBlock();
    await this.#pending.at(-1);
    if (!this.#isOver) this.#options.sink.ended();
  }

  /** Resolves when somebody has begun with the block, and there is room for the next one. */
  async #compressBlock(): Promise<void> {
    const block = this.#block?.subarray(0, this.#filled) ?? Buffer.alloc(0);
    this.#block = undefined;
    this.#filled = 0;
    const { output } = await this.#begin(block);
    const before = this.#pending.at(-1);
    this.#pending.push(this.#deliver(output, before));
    if (this.#pending.length >= MAX_PENDING) await this.#pending.shift();
  }

  /** Wrapped, since a promise for a promise would resolve when that does. */
  async #begin(block: Uint8Array): Promise<{ output: Promise<Buffer> }> {
    if (this.#ownBlocks > 0) {
      const helper = await this.#hire();
      if (helper !== undefined) return { output: this.#help(helper, block) };
      await this.#ownRest;
    }
    return { output: this.#doIt(block) };
  }

  /** A free context, if it comes before the own one is free. */
  async #hire(): Promise<Lease<CodecContext> | undefined> {
    const waiting = new AbortController();
    const hired = this.#options.helpers.hire(waiting.signal)?.catch(() => undefined);
    const first = await Promise.race([hired, this.#ownRest.then(() => undefined)]);
    if (first !== undefined) return first;
    waiting.abort();
    void hired?.then((late) => late?.release());
    return undefined;
  }

  /** What a helper fails at the own context does. */
  async #help(helper: Lease<CodecContext>, block: Uint8Array): Promise<Buffer> {
    try {
      return await helper.resource.compress(block);
    } catch {
      // The own context does it, below.
    } finally {
      void helper.release();
    }
    return this.#doIt(block);
  }

  #doIt(block: Uint8Array): Promise<Buffer> {
    this.#ownBlocks += 1;
    const output = this.#ownRest.then(() => this.#compress(block)).finally(() => (this.#ownBlocks -= 1));
    this.#ownRest = output.catch(() => undefined);
    return output;
  }

  /** When the stream is over its context is somebody else's. */
  #compress(block: Uint8Array): Promise<Buffer> {
    if (this.#isOver) throw new Error('the stream is over');
    return this.#options.own.compress(block);
  }

  /** Never rejects: whoever waits for it waits for room, not for the outcome. */
  async #deliver(output: Promise<Buffer>, before: Promise<void> | undefined): Promise<void> {
    try {
      const chunk = await output;
      await before;
      if (this.#isOver || this.#options.sink.take(chunk)) return;
      await new Promise<void>((resolve) => (this.#resume = resolve));
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #fail = (error: unknown): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.sink.failed(error as Error);
  };
}
