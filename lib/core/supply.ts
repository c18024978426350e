import { Inventory } from './inventory.js';
import type { Journal } from './journal.js';
import { Opener } from './opener.js';
import type { DestroyReason } from './pool.events.js';
import type { ResolvedPoolOptions } from './pool.options.js';
import type { ResourceFactory } from './resource-factory.js';
import { SafeFactory } from './safe-factory.js';
import { Slot, type SlotState } from './slot.js';

/** What the supply tells the demand side. */
export interface Demand<T> {
  /** How many wait. */
  readonly waiting: number;
  /** A resource is ready for its next holder, whoever that will be. */
  ready(slot: Slot<T>): void;
  /** A resource is gone, or opening one may be tried again. */
  roomChanged(): void;
  /** A resource failed in its holder's hands. */
  brokeInUse(slot: Slot<T>, cause: unknown): void;
}

/**
 * The supply side of a pool: opens, validates, resets, retires and closes resources. Every slot is in one state, and every state
 * counts against `max`.
 */
export class Supply<T> {
  readonly counts: Record<SlotState, number> = { creating: 0, idle: 0, leased: 0, closing: 0 };
  readonly opener: Opener<T>;
  destroyed = 0;
  closeFailures = 0;
  min: number;
  max: number;

  readonly #journal: Journal;
  readonly #options: ResolvedPoolOptions;
  readonly #factory: SafeFactory<T>;
  readonly #demand: Demand<T>;
  readonly #inventory: Inventory<Slot<T>>;

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
    this.opener = new Opener<T>(journal, this.#factory, options.maxLifetimeMs, {
      isAwaited: () => demand.waiting > 0,
      tryAgain: () => demand.roomChanged(),
      has: (resource) => this.#has(resource),
      broke: (slot, cause) => this.#broke(slot, cause),
    });
  }

  get size(): number {
    return this.#inventory.size;
  }

  slots(): IterableIterator<Slot<T>> {
    return this.#inventory.slots();
  }

  /** Whether opening one more makes sense now. */
  get mayOpen(): boolean {
    return this.size < this.max && this.opener.mayTry;
  }

  /** There is nothing to lend, and opening something keeps failing. */
  get isDown(): boolean {
    return this.opener.breakerIsOpen && this.size - this.counts.closing === this.opener.underway;
  }

  /** Opens a resource in the background; `demand` hears of the outcome. */
  open(): void {
    const slot = this.#inventory.add();
    this.counts.creating += 1;
    void this.#open(slot);
  }

  async #open(slot: Slot<T>): Promise<void> {
    const opened = await this.opener.open(slot);
    if (opened) return this.#offer(slot, slot.usedAt);
    this.#strike(slot);
    this.#demand.roomChanged();
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

  /** The promise, where there is something to wait for, never rejects. */
  interrupt(slot: Slot<T>, reason: unknown): Promise<unknown> | undefined {
    const interruption = this.#factory.interrupt(slot.resource, reason);
    slot.interruption = interruption;
    return interruption?.then((isOver) => {
      if (isOver) slot.interruption = undefined;
    });
  }

  /** Takes a leased slot back and makes it ready for the next holder. The promise, where there is something to wait for, never rejects. */
  takeBack(slot: Slot<T>, now: number): Promise<void> | undefined {
    slot.usedAt = now;
    if (slot.interruption !== undefined) return this.#takeBackAfter(slot.interruption, slot);
    if (slot.broken || !this.#factory.canReset) return this.#offer(slot, now);
    this.#move(slot, 'creating');
    const verdict = this.#factory.reset(slot.resource);
    if (typeof verdict === 'boolean') return this.#offerOrDiscard(slot, verdict);
    this.#demand.roomChanged();
    return verdict.then((keep) => this.#offerOrDiscard(slot, keep));
  }

  /** Nobody else gets what is still being interrupted on behalf of its last holder. */
  async #takeBackAfter(interruption: Promise<boolean>, slot: Slot<T>): Promise<void> {
    this.#move(slot, 'creating');
    this.#demand.roomChanged();
    const isOver = await interruption;
    const isWanted = this.#demand.waiting > 0 || this.#journal.state !== 'draining';
    await (isOver && isWanted ? this.takeBack(slot, performance.now()) : this.close(slot, 'aborted'));
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
    if (slot.outdated) return 'outdated';
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
    const wasAwaited = slot.state === 'creating';
    this.#move(slot, 'closing');
    const closing = this.#factory.destroy(slot.resource);
    if (wasAwaited) this.#demand.roomChanged(); // who counted on it must look elsewhere, and not only when it is gone
    const error = await closing;
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
    if (this.#inventory.takeThis(slot) && this.#validate(slot)) void this.#offer(slot, now);
  }

  /** Whatever is open now is not lent again; nor is what is being opened, for that began before. */
  renew(): void {
    for (const slot of this.slots()) slot.outdated = true;
    this.closeAllIdle('outdated');
  }

  closeAllIdle(reason: DestroyReason): void {
    for (const slot of this.#inventory.idleSlots()) this.#closeIdle(slot, reason);
  }

  #closeIdle(slot: Slot<T>, reason: DestroyReason): void {
    if (this.#inventory.takeThis(slot)) void this.close(slot, reason);
  }

  /** Gives up on whatever is being prepared, and tries no more. */
  abandon(reason: unknown): void {
    this.opener.stop();
    this.#factory.abortPreparations(reason);
  }

  #broke(slot: Slot<T>, cause: unknown): void {
    if (slot.broken) return;
    slot.broken = true;
    if (slot.uses === 0 && slot.state !== 'closing') this.opener.broke(slot, cause);
    if (slot.state === 'idle') this.#closeIdle(slot, 'broken');
    else if (slot.lease !== undefined) this.#demand.brokeInUse(slot, cause);
  }

  #has(resource: T): boolean {
    for (const slot of this.slots()) if (slot.resource === resource) return true;
    return false;
  }

  #strike(slot: Slot<T>): void {
    this.#count(slot.state, -1);
    this.#inventory.remove(slot);
  }

  #move(slot: Slot<T>, state: SlotState): void {
    this.#count(slot.state, -1);
    this.#count(state, 1);
    slot.state = state;
  }

  /** Spelled out, because indexing by the state costs a twentieth of an acquire and release. */
  #count(state: SlotState, by: 1 | -1): void {
    switch (state) {
      case 'creating':
        this.counts.creating += by;
        break;
      case 'idle':
        this.counts.idle += by;
        break;
      case 'leased':
        this.counts.leased += by;
        break;
      case 'closing':
        this.counts.closing += by;
        break;
    }
  }
}
