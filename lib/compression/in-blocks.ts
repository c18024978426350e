import type { Lease } from '../core/lease.js';
import type { CodecContext } from './codec-context.js';
import { joined } from './own-memory.js';

/** Contexts that would lie idle otherwise. */
export interface Helpers {
  /** One that is free while nobody waits for it; nothing where there is none. It may yet fail to come. */
  hire(signal: AbortSignal): Promise<Lease<CodecContext>> | undefined;
  /** Somebody waits for a context. */
  areAwaited(): boolean;
}

/**
 * Compresses one payload in blocks, by a context of its own and by whoever is free: whenever a block is done, helpers go if somebody
 * waits for them, and more come if there are more. The outputs one behind another are those of the blocks in their order.
 */
export async function compressInBlocks(
  own: CodecContext,
  blocks: readonly Uint8Array[],
  helpers: Helpers,
): Promise<Buffer> {
  const work = new BlockWork(blocks, helpers);
  try {
    return await work.doWith(own);
  } finally {
    work.stop();
  }
}

class BlockWork {
  readonly #blocks: readonly Uint8Array[];
  readonly #helpers: Helpers;
  readonly #outputs: Buffer[] = [];
  readonly #helping = new Set<Promise<void>>();
  readonly #over = new AbortController();
  /** Indexes of blocks that nobody works on, the last one first. */
  #todo: number[];

  constructor(blocks: readonly Uint8Array[], helpers: Helpers) {
    this.#blocks = blocks;
    this.#helpers = helpers;
    this.#todo = [...blocks.keys()].reverse();
  }

  async doWith(own: CodecContext): Promise<Buffer> {
    while (this.#todo.length > 0) {
      this.#hire();
      await this.#doOne(own);
      if (this.#todo.length === 0) await this.#lastHelpers();
    }
    return joined(
      this.#outputs,
      this.#outputs.reduce((bytes, output) => bytes + output.length, 0),
    );
  }

  /** What a helper failed at is to be done again. */
  async #lastHelpers(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#helping);
  }

  /** Helpers finish the blocks they are at, for nobody, and begin no other. */
  stop(): void {
    this.#todo = [];
    this.#over.abort();
  }

  /** One block is left for the context that hires. */
  #hire(): void {
    for (let more = this.#todo.length - 1; more > 0 && !this.#over.signal.aborted; more--) {
      const hired = this.#helpers.hire(this.#over.signal);
      if (hired === undefined) return;
      const helping = this.#help(hired).finally(() => this.#helping.delete(helping));
      this.#helping.add(helping);
    }
  }

  async #help(hired: Promise<Lease<CodecContext>>): Promise<void> {
    const lease = await hired.catch(() => undefined);
    if (lease === undefined) return;
    try {
      while (this.#todo.length > 0 && !this.#helpers.areAwaited()) await this.#doOne(lease.resource);
    } catch {
      // The block is done by others: if it is bad, the caller hears of it from its own context.
    } finally {
      void lease.release();
    }
  }

  async #doOne(context: CodecContext): Promise<void> {
    const index = this.#todo.pop();
    const block = index === undefined ? undefined : this.#blocks[index];
    if (index === undefined || block === undefined) return;
    try {
      this.#outputs[index] = await context.compress(block);
    } catch (error) {
      this.#todo.push(index);
      throw error;
    }
  }
}

/** Blocks of the same size, of at least so many bytes each. */
export function cut(input: Uint8Array, leastBytes: number): Uint8Array[] {
  const count = Math.max(1, Math.floor(input.length / leastBytes));
  const bytes = Math.ceil(input.length / count);
  return Array.from({ length: count }, (_, index) => input.subarray(index * bytes, (index + 1) * bytes));
}
