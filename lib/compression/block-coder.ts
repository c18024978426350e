import { BlockCrew, type Helpers } from './block-crew.js';
import type { Joiner } from './codec.js';
import type { CodecContext } from './codec-context.js';
import type { Sink } from './piece-coder.js';

export interface BlockCoderOptions {
  readonly own: CodecContext;
  readonly blockBytes: number;
  readonly helpers: Helpers;
  readonly joiner: Joiner;
  readonly sink: Sink;
}

/**
 * The rest of a large stream: gathers its pieces to blocks, and has each compressed by the stream's own context or by one that is free.
 * Gives the outputs in the order of the blocks. There is never more than one block beyond those that can be worked on, so that memory is
 * bounded.
 */
export class BlockCoder {
  readonly #crew: BlockCrew;
  readonly #blockBytes: number;
  readonly #joiner: Joiner;
  readonly #sink: Sink;
  #block: Buffer | undefined;
  #filled = 0;
  /** Blocks that are worked on or wait to be read: each resolves when it was taken, one after the other. */
  readonly #pending: Promise<void>[] = [];
  #resume: (() => void) | undefined;
  #isOver = false;

  constructor({ own, blockBytes, helpers, joiner, sink }: BlockCoderOptions) {
    this.#crew = new BlockCrew(own, helpers);
    this.#blockBytes = blockBytes;
    this.#joiner = joiner;
    this.#sink = sink;
  }

  /** Calls `taken` when the next piece may come; not if the stream is over by then. */
  write(piece: Uint8Array, taken: () => void): void {
    this.#after(this.#fill(piece), taken);
  }

  /** What was gathered becomes a block, however short. Calls `flushed` when all output was taken and the next piece may come, as `write()`. */
  flush(flushed: () => void): void {
    this.#after(this.#deliverAll(), flushed);
  }

  end(): void {
    this.#after(this.#deliverAll(), () => {
      const rest = this.#joiner.end();
      if (rest.length > 0) this.#sink.take(rest);
      if (!this.#isOver) this.#sink.ended();
    });
  }

  resume(): void {
    this.#resume?.();
  }

  /** Gives nothing more. Resolves when the own context rests. */
  close(): Promise<void> {
    this.#isOver = true;
    this.resume();
    return this.#crew.stop();
  }

  #after(work: Promise<void>, then: () => void): void {
    work.then(() => {
      if (!this.#isOver) then();
    }, this.#fail);
  }

  /** The pieces are their writer's again when they were taken, so they are copied. */
  async #fill(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length && !this.#isOver;) {
      this.#block ??= Buffer.allocUnsafeSlow(this.#blockBytes);
      const part = piece.subarray(at, at + this.#blockBytes - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#blockBytes) await this.#compressBlock();
    }
  }

  async #deliverAll(): Promise<void> {
    if (this.#filled > 0) await this.#compressBlock();
    await this.#pending.at(-1);
  }

  /** Resolves when there is room for the next one. */
  async #compressBlock(): Promise<void> {
    const before = this.#pending.at(-1);
    this.#pending.push(this.#deliver(this.#takeBlock(), before));
    while (this.#pending.length > this.#crew.hands) await this.#pending[0];
  }

  /** A full one is gone with its memory. That of a short one serves again: by the time more comes, it has been compressed. */
  #takeBlock(): Uint8Array {
    const block = this.#block?.subarray(0, this.#filled) ?? Buffer.alloc(0);
    this.#filled = 0;
    if (block.length === this.#blockBytes) this.#block = undefined;
    return block;
  }

  /** Never rejects: whoever waits for it waits for room, not for the outcome. */
  async #deliver(block: Uint8Array, before: Promise<void> | undefined): Promise<void> {
    try {
      const output = await this.#crew.compress(block);
      await before;
      const chunk = this.#joiner.add(block, output);
      if (!this.#isOver && !this.#sink.take(chunk))
        await new Promise<void>((resolve) => (this.#resume = resolve));
    } catch (error) {
      this.#fail(error);
    }
    void this.#pending.shift();
  }

  readonly #fail = (error: unknown): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.failed(error as Error);
  };
}
