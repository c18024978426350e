import { Backoff } from './backoff.js';
import { DurationHistogram } from './duration-histogram.js';
import type { Journal } from './journal.js';
import { PoolError } from './pool.errors.js';
import type { SafeFactory } from './safe-factory.js';
import type { Slot } from './slot.js';

/**
 * So many are opened at the same time at most. A burst of callers is then served by those that come back soon, and does not make a
 * resource for each; and a server that is short of breath is not stormed.
 */
const AT_ONCE = 8;

/** A resource that breaks unused within this time was no good from the beginning; one that lasted longer tells nothing of the next. */
const PROBATION_MS = 1_000;

/** The part of a resource's life that jitter may take: resources opened together must not all end together. */
const LIFETIME_JITTER = 0.1;

/** What an opener must know of the pool that it works for. */
export interface OpenerHost<T> {
  /** Somebody waits for what is opened next. */
  isAwaited(): boolean;
  /** Another try may be made now. */
  tryAgain(): void;
  /** The pool has this resource already. */
  has(resource: T): boolean;
  /** The resource failed by itself. */
  broke(slot: Slot<T>, cause: unknown): void;
}

/** Opens resources into slots, and keeps the score: when to try again, and when waiting for it makes no sense any more. */
export class Opener<T> {
  readonly createMs = new DurationHistogram();
  created = 0;
  failures = 0;
  /** Why the last try failed; nothing once a later one succeeded. */
  failure: { readonly cause: unknown; readonly at: number } | undefined;
  /** How many are being opened. */
  underway = 0;

  readonly #journal: Journal;
  readonly #factory: SafeFactory<T>;
  readonly #maxLifetimeMs: number;
  readonly #host: OpenerHost<T>;
  readonly #backoff: Backoff;
  #breakerIsOpen = false;

  constructor(journal: Journal, factory: SafeFactory<T>, maxLifetimeMs: number, host: OpenerHost<T>) {
    this.#journal = journal;
    this.#factory = factory;
    this.#maxLifetimeMs = maxLifetimeMs;
    this.#host = host;
    this.#backoff = new Backoff(() => host.tryAgain());
  }

  /** Whether another try makes sense now. While tries fail, one at a time is enough. */
  get mayTry(): boolean {
    return !this.#backoff.resting && this.underway < (this.#backoff.failing ? 1 : AT_ONCE);
  }

  /** So many tries failed in a row that callers who depend on the next one are told so at once. */
  get breakerIsOpen(): boolean {
    return this.#breakerIsOpen;
  }

  /** Resolves when the slot has its resource, with true, or when there will be none, with false. */
  async open(slot: Slot<T>): Promise<boolean> {
    const startedAt = performance.now();
    this.underway += 1;
    try {
      await this.#create(slot);
    } catch (error) {
      this.failures += 1;
      this.#failed(error);
      this.#journal.tell({ type: 'create-failed', error });
      return false;
    } finally {
      this.underway -= 1;
    }
    const now = performance.now();
    const lifetimeMs = this.#maxLifetimeMs * (1 - Math.random() * LIFETIME_JITTER);
    if (lifetimeMs > 0) slot.expiresAt = now + lifetimeMs;
    slot.usedAt = slot.validatedAt = now;
    this.created += 1;
    this.createMs.record(now - startedAt);
    this.#journal.tell({ type: 'created', createMs: now - startedAt });
    if (!slot.broken) this.#succeeded(slot);
    return true;
  }

  async #create(slot: Slot<T>): Promise<void> {
    const isKnown = (each: T) => Object(each) === each && this.#host.has(each);
    const resource = await this.#factory.create(isKnown);
    if (isKnown(resource)) {
      const message = 'create() gave a resource that the pool has already';
      throw new PoolError('ERR_POOL_FACTORY', this.#journal.name, message);
    }
    slot.resource = resource; // before anything is awaited: the next create() may give the same
    await this.#factory.watch(resource, (cause) => this.#host.broke(slot, cause));
  }

  #succeeded(slot: Slot<T>): void {
    this.failure = undefined;
    slot.failuresBefore = this.#backoff.succeeded();
    if (!this.#breakerIsOpen) return;
    this.#breakerIsOpen = false;
    this.#journal.tell({ type: 'breaker-closed' });
  }

  /** A resource broke before anybody had it: where it did so soon, that is little better than one that cannot be opened. */
  broke(slot: Slot<T>, cause: unknown): void {
    const { failuresBefore } = slot;
    const at = performance.now();
    if (failuresBefore === undefined) this.#failed(cause);
    else if (at - slot.usedAt <= PROBATION_MS) {
      this.failure = { cause, at };
      this.#backoff.relapsed(failuresBefore, this.#host.isAwaited());
    }
  }

  #failed(cause: unknown): void {
    this.failure = { cause, at: performance.now() };
    this.#backoff.failed(this.#host.isAwaited());
    if (this.#breakerIsOpen || !this.#backoff.hopeless) return;
    this.#breakerIsOpen = true;
    this.#journal.tell({ type: 'breaker-opened', cause });
  }

  /** Keeps the process alive for the next try. */
  keepAwake(): void {
    this.#backoff.keepAwake();
  }

  stop(): void {
    this.#backoff.stop();
  }
}
