import type { Lease } from '../core/lease.js';
import type { CodecContext } from './codec-context.js';

/** Contexts that would lie idle otherwise. */
export interface Helpers {
  /** There is one, and nobody waits for it. */
  areFree(): boolean;
  /** Somebody waits for a context. */
  areAwaited(): boolean;
  /** One that is free; nothing where there is none. It may yet fail to come. */
  hire(signal: AbortSignal): Promise<Lease<CodecContext>> | undefined;
}

interface Job {
  readonly block: Uint8Array;
  readonly resolve: (output: Buffer) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Compresses blocks by a context of its own and by whoever is free: whenever a block is done, helpers go if somebody waits for them or
 * nothing is left to do, and more come if there are more.
 */
export class BlockCrew {
  readonly #own: CodecContext;
  readonly #helpers: Helpers;
  readonly #over = new AbortController();
  /** What nobody works on, the first one first. */
  readonly #todo: Job[] = [];
  #ownWork: Promise<void> | undefined;
  #coming = 0;
  #helping = 0;

  constructor(own: CodecContext, helpers: Helpers) {
    this.#own = own;
    this.#helpers = helpers;
  }

  /** How many blocks can be worked on at once, for the moment. */
  get hands(): number {
    return 1 + this.#coming + this.#helping;
  }

  /** Rejects with what the own context rejects; what a helper fails at is done again. */
  compress(block: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#over.signal.throwIfAborted();
      this.#todo.push({ block, resolve, reject });
      this.#ownWork ??= this.#work();
      this.#hire();
    });
  }

  /** Begins nothing more; helpers finish the blocks they are at, for nobody. Resolves when the own context rests. */
  async stop(reason?: unknown): Promise<void> {
    this.#over.abort(reason);
    for (const { reject } of this.#todo.splice(0)) reject(this.#over.signal.reason);
    await this.#ownWork;
  }

  /** Whoever takes a block looks for helpers for the rest. */
  #next(): Job | undefined {
    const job = this.#todo.shift();
    this.#hire();
    return job;
  }

  async #work(): Promise<void> {
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      try {
        job.resolve(await this.#own.compressBlock(job.block));
      } catch (error) {
        job.reject(error);
        void this.stop(error);
      }
    }
    this.#ownWork = undefined;
  }

  #hire(): void {
    while (this.#todo.length > this.#coming) {
      const hired = this.#helpers.hire(this.#over.signal);
      if (hired === undefined) return;
      this.#coming += 1;
      void this.#help(hired);
    }
  }

  async #help(hired: Promise<Lease<CodecContext>>): Promise<void> {
    const lease = await hired.catch(() => undefined);
    this.#coming -= 1;
    if (lease === undefined) return;
    this.#helping += 1;
    while (!this.#helpers.areAwaited()) {
      const job = this.#next();
      if (job === undefined || !(await this.#isDoneBy(lease, job))) break;
    }
    this.#helping -= 1;
    void lease.release();
  }

  /** What a helper fails at others do: if the block is bad, the caller hears of it from its own context. */
  async #isDoneBy(helper: Lease<CodecContext>, job: Job): Promise<boolean> {
    try {
      job.resolve(await helper.resource.compressBlock(job.block));
      return true;
    } catch {
      if (this.#over.signal.aborted) job.reject(this.#over.signal.reason);
      else this.#redo(job);
      return false;
    }
  }

  #redo(job: Job): void {
    this.#todo.unshift(job);
    this.#ownWork ??= this.#work();
  }
}
