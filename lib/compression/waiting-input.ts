import type { AsyncResource } from 'node:async_hooks';
import { DONE, type Lease } from '../core/lease.js';
import type { Outcome } from '../core/waiter.js';
import type { ByteBudget } from './byte-budget.js';
import type { CodecContext } from './codec-context.js';
import { countedBytesOf, type Bytes } from './input-bytes.js';

/** How whole inputs are worked on. One object for all calls that want the same. */
export interface InputWork {
  /** The name of the pool, for errors. */
  readonly pool: string;
  /** What a context does with an input. */
  readonly task: (context: CodecContext, bytes: Uint8Array) => Promise<Buffer>;
  /** Has a context do it, and gives the lease back. */
  readonly run: (
    lease: Lease<CodecContext>,
    task: (context: CodecContext) => Promise<Buffer>,
    signal: AbortSignal | undefined,
  ) => Promise<Buffer>;
  /** In whose async context: no promise brings the caller's back. */
  readonly home: AsyncResource;
  /** Gets back what an input has taken of it, when its call has settled. */
  readonly budget: ByteBudget;
}

interface Parts {
  readonly work: InputWork;
  readonly input: string | Bytes;
  /** What it has taken of the budget, in bytes. */
  readonly size: number;
  readonly signal: AbortSignal | undefined;
  /** The `resolve` of the caller's promise, which settles it either way: its `reject` need not be kept as well. */
  readonly settle: (outcome: Buffer | Promise<Buffer>) => void;
}

/**
 * One whole input whose caller waits for a context. There may be ten thousand, so beside the caller's promise this is all that is
 * kept for each: no second promise, no frame, no closure.
 */
export class WaitingInput implements Outcome<Lease<CodecContext>> {
  readonly #work: InputWork;
  readonly #input: string | Bytes;
  readonly #size: number;
  readonly #signal: AbortSignal | undefined;
  readonly #settle: (outcome: Buffer | Promise<Buffer>) => void;

  constructor({ work, input, size, signal, settle }: Parts) {
    this.#work = work;
    this.#input = input;
    this.#size = size;
    this.#signal = signal;
    this.#settle = settle;
  }

  /** Begins in a turn of its own: no codec runs inside the call by which somebody else gave the context back. */
  resolve(lease: Lease<CodecContext>): void {
    this.#work.home.runInAsyncScope(() => void DONE.then(() => this.#begin(lease)));
  }

  reject(reason: unknown): void {
    this.#giveBack();
    const refusal = reason as Error;
    this.#settle(Promise.reject(refusal));
  }

  #begin(lease: Lease<CodecContext>): void {
    const { run, task, pool } = this.#work;
    // A string becomes bytes only now, so that those who wait have no two of it.
    const work = (context: CodecContext) => task(context, countedBytesOf(this.#input, this.#size, pool));
    run(lease, work, this.#signal).then(
      (output) => this.#succeeded(output),
      (reason: unknown) => this.reject(reason),
    );
  }

  #succeeded(output: Buffer): void {
    this.#giveBack();
    this.#settle(output);
  }

  #giveBack(): void {
    this.#work.budget.giveBack(this.#size);
  }
}
