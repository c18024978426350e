import { type LeaseBrokenError, LeaseReleasedError, type PoolError } from './pool.errors.js';
import type { Place } from './place.js';

/** What a lease is about: a pool's slot, of which the holder may see only the resource. */
export interface Lent<T> {
  readonly resource: T;
  mayLast: boolean;
}

/** Takes back what it lent. */
export interface Lender<T> {
  readonly name: string;
  takeBack(lent: Lent<T>): Promise<void>;
  takeBackUnfit(lent: Lent<T>, reason: string): Promise<void>;
}

/** What ends a lease from the pool's side; set by the class, so that nobody else can. */
export let breakLease: (lease: Lease<unknown>, error: LeaseBrokenError) => void;

/** What the lease is about. */
export let lentBy: <T>(lease: Lease<T>) => Lent<T>;

/** Says that a lease is meant to be held for long, and is no leak: a subscription, a command that blocks. */
export let mayLast: (lease: Lease<unknown>) => void;

/** The reason why the pool ended the lease, if it did. */
export let breakageOf: (lease: Lease<unknown>) => LeaseBrokenError | undefined;

/**
 * The right to use one resource until it is given back. A lease ends once: by `release()`, by `destroy()`, or because the resource
 * was lost or taken away. After that `resource` throws, so that nobody uses what is in somebody else's hands.
 *
 * @publicApi
 * @example
 * await using lease = await pool.acquire();
 * await lease.resource.select(3);
 */
export class Lease<T> {
  static {
    breakLease = (lease, error) => {
      lease.#end ??= error;
    };
    lentBy = (lease) => lease.#lent;
    mayLast = (lease) => {
      if (lease.#end === undefined) lease.#lent.mayLast = true;
    };
    breakageOf = (lease) => (lease.#end === 'given back' ? undefined : lease.#end);
  }

  readonly #lender: Lender<T>;
  readonly #lent: Lent<T>;
  readonly #place: Place | undefined;
  #end: 'given back' | LeaseBrokenError | undefined;

  /** @internal Leases are made by pools. */
  constructor(lender: Lender<T>, lent: Lent<T>, place: Place | undefined) {
    this.#lender = lender;
    this.#lent = lent;
    this.#place = place;
  }

  /**
   * What was lent.
   * @throws {LeaseReleasedError} the lease was given back
   * @throws {LeaseBrokenError} the resource was lost, or the pool took it away
   */
  get resource(): T {
    if (this.#end !== undefined) throw this.#whyEnded(this.#end);
    return this.#lent.resource;
  }

  /** Where the lease was acquired (a stack); known only while `leakThresholdMs` is on. */
  get acquiredAt(): string | undefined {
    return this.#place?.toString();
  }

  /** Gives the resource back. Resolves when it is ready for the next holder or gone; never rejects. A second call does nothing. */
  release(): Promise<void> {
    if (this.#end !== undefined) return DONE;
    this.#end = 'given back';
    return this.#lender.takeBack(this.#lent);
  }

  /**
   * Gives the resource back as unfit: it is closed, and a new one opened when somebody needs it. Resolves when it is closed;
   * never rejects. Does nothing when the lease has ended.
   */
  destroy(reason = 'discarded'): Promise<void> {
    if (this.#end !== undefined) return DONE;
    this.#end = 'given back';
    return this.#lender.takeBackUnfit(this.#lent, reason);
  }

  /** As `release()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #whyEnded(end: 'given back' | LeaseBrokenError): PoolError {
    return end === 'given back' ? new LeaseReleasedError(this.#lender.name) : end;
  }
}

/** Shared by all that have nothing to wait for. */
export const DONE = Promise.resolve();
