import { heedSignal } from './heed-signal.js';
import type { Place } from './place.js';
import type { Priority, Waiting } from './waiting-line.js';

/**
 * How long, and how urgently, a caller wants to wait.
 *
 * @publicApi
 */
export interface AcquireOptions {
  /** Aborting it ends the wait with the signal's reason. */
  signal?: AbortSignal;
  /** Instead of the pool's `acquireTimeoutMs`; 0 waits for ever. */
  timeoutMs?: number;
  /** Default `normal`. Ageing keeps `low` from starving: nobody is overtaken by those who came over four seconds later. */
  priority?: Priority;
}

/** Is told when a waiter gives up, and refuses it. */
export interface WaiterOwner<V> {
  timedOut(waiter: Waiter<V>): void;
  aborted(waiter: Waiter<V>, reason: unknown): void;
}

/**
 * Who is told how a wait ended: the two ends of a promise, or something smaller. Written as methods, so that a pool of something is
 * also a pool of `unknown`.
 */
export interface Outcome<V> {
  resolve(value: V): void;
  reject(reason: unknown): void;
}

/** One caller in the line. It settles once: served, or refused at its deadline or when its signal aborts. */
export class Waiter<V> implements Waiting {
  /** One for all waiters, which spares a closure for each. */
  static readonly #expire = (waiter: Waiter<unknown>): void => waiter.#owner.timedOut(waiter);

  readonly priority: Priority;
  readonly since = performance.now();
  next?: Waiting | undefined;
  previous?: Waiting | undefined;
  readonly #owner: WaiterOwner<V>;
  readonly #outcome: Outcome<V>;
  readonly signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(
    owner: WaiterOwner<V>,
    outcome: Outcome<V>,
    readonly timeoutMs: number,
    /** Where the caller stands, when that is recorded. */
    readonly place: Place | undefined,
    options: AcquireOptions | undefined,
  ) {
    this.priority = options?.priority ?? 'normal';
    this.#owner = owner;
    this.#outcome = outcome;
    this.signal = options?.signal;
    if (this.signal !== undefined) heedSignal(this.signal, this);
    if (timeoutMs > 0) this.#timer = setTimeout(Waiter.#expire, timeoutMs, this);
  }

  serve(value: V): void {
    this.stopWaiting();
    this.#outcome.resolve(value);
  }

  refuse(reason: unknown): void {
    this.stopWaiting();
    this.#outcome.reject(reason);
  }

  /** @internal The signal's event. The waiter is its own listener, which spares a closure for each. */
  handleEvent(): void {
    this.#owner.aborted(this, this.signal?.reason);
  }

  /** From here on neither the deadline nor the signal can refuse it. */
  stopWaiting(): void {
    clearTimeout(this.#timer);
    this.signal?.removeEventListener('abort', this);
  }
}
