import { Backoff } from './backoff.js';
import { DurationHistogram } from './duration-histogram.js';
import { Inventory } from './inventory.js';
import type { Journal } from './journal.js';
import { PoolError } from './pool.errors.js';
import type { DestroyReason } from './pool.events.js';
import type { ResolvedPoolOptions } from './pool.options.js';
import type { ResourceFactory } from './resource-factory.js';
import { SafeFactory } from './safe-factory.js';
import { Slot, type SlotState } from './slot.js';

/** What the supply tells the demand side. */
export interface Demand<T> {
  /** A resource is ready for its next holder, whoever that will be. */
  ready(slot: Slot<T>): void;
  /** A resource is gone, or opening one may be tried again. */
  roomChanged(): void;
  /** A resource failed in its holder's hands. */
  brokeInUse(slot: Slot<T>, cause: unknown): void;
}

/**
 * So many are prepared at the same time at most. A burst of callers is then served by those that come back soon, and does not
 * make a resource for each; and a server that is short of breath is not stormed.
 */
const CREATING_AT_ONCE = 8;

/** The part of a resource's life that jitter may take: resources opened together must not all end together. */
const LIFETIME_JITTER = 0.1;

/**
 * The supply side of a pool: opens, validates, resets, retires and closes resources. Every slot is in one state, and every state
 * counts against `max`.
 */
export class Supply<T> {
  readonly counts: Record<SlotState, number> = { creating: 0, idle: 0, leased: 0, closing: 0 };
  readonly createMs = new DurationHistogram();
  created = 0;
  destroyed = 0;
  createFailures = 0;
  closeFailures = 0;
  min: number;
  max: number;
  /** Why the last try to open a resource failed; nothing once a later one succeeded. */
  failure: { readonly cause: unknown; readonly at: number } | undefined;

  readonly #journal: Journal;
  readonly #options: ResolvedPoolOptions;
  readonly #factory: SafeFactory<T>;
  readonly #demand: Demand<T>;
  readonly #inventory: Inventory<Slot<T>>;
  readonly #backoff = new Backoff(() => this.#demand.roomChanged());

  constructor(
    journal: Journal,
    factory: ResourceFactory<T>,
    options: ResolvedPoolOptions,
    demand: Demand<T>,
  ) {
    this.#journal = journal;
    this.#options = options;
    this.min = options.min;
    this.max = options.max;
    this.#factory = new SafeFactory(journal.name, factory, options);
    this.#demand = demand;
    this.#inventory = new Inventory<Slot<T>>(() => new Slot<T>(), options.order);
  }

  get size(): number {
    return this.#inventory.size;
  }

  slots(): IterableIterator<Slot<T>> {
    return this.#inventory.slots();
  }

  /** Whether opening one more makes sense now. While opening fails, one try at a time is enough. */
  get mayOpen(): boolean {
    if (this.size >= this.max || this.counts.creating >= CREATING_AT_ONCE || this.#backoff.resting)
      return false;
    return !this.#backoff.failing || this.counts.creating === 0;
  }

  /** Opens a resource in the background; `demand` hears of the outcome. */
  open(): void {
    const slot = this.#inventory.add();
    this.counts.creating += 1;
    void this.#open(slot);
  }

  async #open(slot: Slot<T>): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#create(slot);
    } catch (error) {
      this.#openFailed(slot, error);
      return;
    }
    const now = performance.now();
    slot.usedAt = slot.validatedAt = now;
    if (this.#options.maxLifetimeMs > 0) {
      slot.expiresAt = now + this.#options.maxLifetimeMs * (1 - Math.random() * LIFETIME_JITTER);
    }
    this.created += 1;
    this.createMs.record(now - startedAt);
    if (!slot.broken) this.#canOpen();
    this.#journal.tell({ type: 'created', createMs: now - startedAt });
    void this.#offer(slot, now);
  }

  async #create(slot: Slot<T>): Promise<void> {
    const resource = await this.#factory.create();
    if (typeof resource === 'object' && this.#has(resource)) {
      throw new PoolError(
        'ERR_POOL_FACTORY',
        this.#journal.name,
        'create() gave a resource that the pool has already',
      );
    }
    slot.resource = resource; // before anything is awaited: the next create() may give the same
    await this.#factory.watch(resource, (cause) => this.#broke(slot, cause));
  }

  #has(resource: T): boolean {
    for (const slot of this.slots()) if (slot.resource === resource) return true;
    return false;
  }

  #openFailed(slot: Slot<T>, error: unknown): void {
    this.#strike(slot);
    this.createFailures += 1;
    this.#cannotOpen(error);
    this.#journal.tell({ type: 'create-failed', error });
    this.#demand.roomChanged();
  }

  #canOpen(): void {
    this.failure = undefined;
    this.#backoff.succeeded();
  }

  #cannotOpen(cause: unknown): void {
    this.failure = { cause, at: performance.now() };
    this.#backoff.failed();
  }

  /** Whether `take` may find something. */
  get hasIdle(): boolean {
    return this.#inventory.idle > 0;
  }

  /** The next idle resource, if it is fit to be lent at once. Otherwise it is closed, or asked and offered when it has answered. */
  take(now: number): Slot<T> | undefined {
    const slot = this.#inventory.take();
    if (slot === undefined) return undefined;
    const unfit = this.#unfit(slot, now);
    if (unfit !== undefined) {
      void this.close(slot, unfit);
      return undefined;
    }
    return this.#isFresh(slot, now) || this.#validate(slot) ? slot : undefined;
  }

  /** Whether `take` would find something that need not be asked first. */
  hasFresh(now: number): boolean {
    const slot = this.#inventory.next;
    return slot !== undefined && this.#unfit(slot, now) === undefined && this.#isFresh(slot, now);
  }

  #isFresh(slot: Slot<T>, now: number): boolean {
    return now - Math.max(slot.usedAt, slot.validatedAt) < this.#options.validateAfterIdleMs;
  }

  /** True when the resource was found valid on the spot. */
  #validate(slot: Slot<T>): boolean {
    if (!this.#factory.canValidate) return true;
    const verdict = this.#factory.validate(slot.resource);
    if (typeof verdict !== 'boolean') {
      this.#move(slot, 'creating');
      void verdict.then((valid) =>
        this.#validated(slot, valid) ? this.#offer(slot, slot.validatedAt) : undefined,
      );
      return false;
    }
    return this.#validated(slot, verdict);
  }

  #validated(slot: Slot<T>, valid: boolean): boolean {
    if (valid) slot.validatedAt = performance.now();
    if (valid && !slot.broken) return true;
    void this.close(slot, valid ? 'broken' : 'invalid');
    return false;
  }

  lend(slot: Slot<T>, now: number): void {
    this.#move(slot, 'leased');
    slot.leasedAt = now;
    slot.uses += 1;
  }

  /** Takes a leased slot back and makes it ready for the next holder. The promise, where there is something to wait for, never rejects. */
  takeBack(slot: Slot<T>, now: number): Promise<void> | undefined {
    slot.usedAt = now;
    const verdict = slot.broken || this.#factory.reset(slot.resource);
    if (typeof verdict === 'boolean') return this.#offerOrDiscard(slot, verdict);
    this.#move(slot, 'creating');
    return verdict.then((keep) => this.#offerOrDiscard(slot, keep));
  }

  #offerOrDiscard(slot: Slot<T>, keep: boolean): Promise<void> | undefined {
    return keep ? this.#offer(slot, slot.usedAt) : this.close(slot, 'discarded');
  }

  #offer(slot: Slot<T>, now: number): Promise<void> | undefined {
    const unfit = this.#unfit(slot, now);
    if (unfit !== undefined) return this.close(slot, unfit);
    this.#demand.ready(slot);
    return undefined;
  }

  #unfit(slot: Slot<T>, now: number): DestroyReason | undefined {
    if (slot.broken) return 'broken';
    if (now >= slot.expiresAt) return 'lifetime';
    if (this.#options.maxUses > 0 && slot.uses >= this.#options.maxUses) return 'uses';
    return this.size - this.counts.closing > this.max ? 'surplus' : undefined;
  }

  /** Puts a ready slot on the shelf. */
  shelve(slot: Slot<T>): void {
    this.#move(slot, 'idle');
    this.#inventory.shelve(slot);
  }

  /** Closes the resource of a slot that is out. Resolves when it is gone; never rejects. */
  async close(slot: Slot<T>, reason: DestroyReason): Promise<void> {
    this.#move(slot, 'closing');
    const error = await this.#factory.destroy(slot.resource);
    this.#strike(slot);
    this.destroyed += 1;
    if (error !== undefined) {
      this.closeFailures += 1;
      this.#journal.tell({ type: 'destroy-failed', error });
    }
    this.#journal.tell({ type: 'destroyed', reason });
    this.#demand.roomChanged();
  }

  /** Retires what lay idle too long or has aged, and validates what is due for its keep-alive. */
  sweep(now: number): void {
    const { idleTimeoutMs, keepAliveMs } = this.#options;
    for (const slot of this.#inventory.idleSlots()) {
      const unfit = this.#unfit(slot, now);
      const idleTooLong = idleTimeoutMs > 0 && now - slot.usedAt >= idleTimeoutMs && this.#aboveMin;
      if (unfit !== undefined) this.#closeIdle(slot, unfit);
      else if (idleTooLong) this.#closeIdle(slot, 'idle');
      else if (keepAliveMs > 0 && now - Math.max(slot.usedAt, slot.validatedAt) >= keepAliveMs)
        this.#keepAlive(slot, now);
    }
  }

  get #aboveMin(): boolean {
    return this.size - this.counts.closing > this.min;
  }

  #keepAlive(slot: Slot<T>, now: number): void {
    this.#inventory.takeThis(slot);
    if (this.#validate(slot)) void this.#offer(slot, now);
  }

  closeAllIdle(reason: DestroyReason): void {
    for (const slot of this.#inventory.idleSlots()) this.#closeIdle(slot, reason);
  }

  #closeIdle(slot: Slot<T>, reason: DestroyReason): void {
    if (this.#inventory.takeThis(slot)) void this.close(slot, reason);
  }

  /** Gives up on whatever is being prepared, and tries no more. */
  abandon(reason: unknown): void {
    this.#backoff.stop();
    this.#factory.abortPreparations(reason);
  }

  #broke(slot: Slot<T>, cause: unknown): void {
    if (slot.broken) return;
    slot.broken = true;
    // One that breaks before anybody had it is no better than one that cannot be opened.
    if (slot.uses === 0) this.#cannotOpen(cause);
    if (slot.state === 'idle') this.#closeIdle(slot, 'broken');
    else if (slot.state === 'leased') this.#demand.brokeInUse(slot, cause);
  }

  #strike(slot: Slot<T>): void {
    this.counts[slot.state] -= 1;
    this.#inventory.remove(slot);
  }

  #move(slot: Slot<T>, state: SlotState): void {
    if (slot.state === state) return;
    this.counts[slot.state] -= 1;
    this.counts[state] += 1;
    slot.state = state;
  }
}
