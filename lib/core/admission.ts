import { Changes } from './changes.js';
import { DurationHistogram } from './duration-histogram.js';
import { describeHolder, longestHolders, type LeaseHolder } from './lease-holder.js';
import { breakLease, DONE, Lease, lentBy, type Lender } from './lease.js';
import {
  LeaseBrokenError,
  PoolClosedError,
  PoolDeadlockError,
  PoolQueueFullError,
  PoolTimeoutError,
  PoolUnavailableError,
  type PoolTimeoutReason,
} from './pool.errors.js';
import type { Journal } from './journal.js';
import type { ResolvedPoolOptions } from './pool.options.js';
import type { PoolStats } from './pool.stats.js';
import type { ResourceFactory } from './resource-factory.js';
import type { Slot } from './slot.js';
import { Supply, type Demand } from './supply.js';
import { Task, type Contended } from './task.js';
import { Waiter, type AcquireOptions, type WaiterOwner } from './waiter.js';
import { WaitingLine } from './waiting-line.js';

/** A timer that fires this much too late was held up by the process itself. */
const BLOCKED_MS = 100;

/** How many holders a time-out names. */
const HOLDERS_NAMED = 5;

/** One lending of a slot, told from later ones of the same slot. */
interface Loan<T> {
  readonly slot: Slot<T>;
  readonly uses: number;
}

/**
 * The demand side of a pool: who gets a resource, who waits, in which order, how long, and who is told what.
 * A caller who finds a fit idle resource and nobody waiting gets it without a timer and without a place in the line.
 */
export class Admission<T> implements Demand<T>, Lender<T>, WaiterOwner<Lease<T>>, Contended {
  readonly name: string;
  readonly supply: Supply<T>;
  readonly waitMs = new DurationHistogram();
  readonly useMs = new DurationHistogram();
  acquired = 0;
  timeouts = 0;

  readonly #journal: Journal;
  readonly #options: ResolvedPoolOptions;
  readonly #statsToShow: () => PoolStats;
  readonly #line = new WaitingLine<Waiter<Lease<T>>>();
  readonly #changes = new Changes();
  /** Hears of leases that were garbage-collected; only while leaks are watched for. */
  readonly #forgotten: FinalizationRegistry<Loan<T>> | undefined;
  /** Keep `min` open; not before somebody started or used the pool. */
  #keepsMin = false;

  constructor(
    journal: Journal,
    factory: ResourceFactory<T>,
    options: ResolvedPoolOptions,
    /** What errors show: those of the whole pool, of which this may be a part. */
    statsToShow: () => PoolStats,
  ) {
    this.name = journal.name;
    this.#journal = journal;
    this.#options = options;
    this.#statsToShow = statsToShow;
    if (options.leakThresholdMs > 0)
      this.#forgotten = new FinalizationRegistry((loan) => this.#reclaim(loan));
    this.supply = new Supply<T>(journal, factory, options, this);
  }

  get waiting(): number {
    return this.#line.length;
  }

  acquire(options: AcquireOptions | undefined, acquiredAt: string | undefined): Promise<Lease<T>> {
    if (options?.signal?.aborted === true) return Promise.reject(options.signal.reason as Error);
    const { state } = this.#journal;
    if (state === 'open' && this.#line.length === 0 && this.supply.hasIdle) {
      const now = performance.now();
      const slot = this.supply.take(now);
      if (slot !== undefined) return Promise.resolve(this.#lend(slot, now, 0, acquiredAt));
    }
    if (state === 'draining' || state === 'closed')
      return Promise.reject(new PoolClosedError(this.name, state));
    return this.#wait(options, acquiredAt);
  }

  #wait(options: AcquireOptions | undefined, acquiredAt: string | undefined): Promise<Lease<T>> {
    this.#keepsMin = true;
    if (this.supply.isDown) return Promise.reject(this.#unavailable());
    if (this.#line.length >= this.#options.maxWaiting + this.#placesComing) {
      return Promise.reject(new PoolQueueFullError(this.name, this.#options.maxWaiting));
    }
    const task = Task.current;
    return task === undefined ? this.#queue(options, acquiredAt) : this.#waitAs(task, options, acquiredAt);
  }

  #queue(options: AcquireOptions | undefined, acquiredAt: string | undefined): Promise<Lease<T>> {
    const timeoutMs = options?.timeoutMs ?? this.#options.acquireTimeoutMs;
    const waiter = new Waiter<Lease<T>>(this, timeoutMs, acquiredAt, options);
    this.#line.join(waiter);
    this.supply.opener.keepAwake();
    this.serve();
    return waiter.promise;
  }

  /** A task that holds the last resource of a pool asks for more. */
  async #waitAs(
    task: Task,
    options: AcquireOptions | undefined,
    acquiredAt: string | undefined,
  ): Promise<Lease<T>> {
    const stopWaiting = task.waitFor(this);
    try {
      const held = task.deadlockWith(this);
      if (held !== undefined)
        throw new PoolDeadlockError(this.name, held.pool.name, held.describe(), this.#statsToShow());
      return await this.#queue(options, acquiredAt);
    } finally {
      stopWaiting();
    }
  }

  /** Those for whom a resource is being, or can be, prepared do not wait in vain and do not count against `maxWaiting`. */
  get #placesComing(): number {
    const { supply } = this;
    return this.#journal.state === 'open'
      ? supply.counts.creating + Math.max(0, supply.max - supply.size) + supply.counts.idle
      : 0;
  }

  /** Gives the line what there is, and has more prepared while it is longer than what is being prepared already. */
  serve(): void {
    if (this.#journal.state === 'suspended') return;
    const { supply } = this;
    while (supply.hasIdle && this.#shouldTake) {
      const slot = supply.take(performance.now());
      if (slot !== undefined) this.#handOver(slot);
    }
    while (this.#needsMore && supply.mayOpen) supply.open();
  }

  /** While the supply is down newcomers are not let in to wait, and one try after the other is made all the same. */
  get #needsMore(): boolean {
    const { supply } = this;
    const isProbing = supply.isDown && this.#journal.state === 'open';
    return this.#line.length > supply.counts.creating || this.#belowMin || isProbing;
  }

  #unavailable(): PoolUnavailableError {
    const message =
      'no resource can be opened; one try after the other goes on in the background, and heals the pool';
    return new PoolUnavailableError(this.name, message, this.supply.opener.failure?.cause);
  }

  /** More wait than something is being prepared for; or the next idle one need not be prepared. */
  get #shouldTake(): boolean {
    const { supply } = this;
    const { length } = this.#line;
    return length > supply.counts.creating || (length > 0 && supply.hasFresh(performance.now()));
  }

  get #belowMin(): boolean {
    const { supply } = this;
    return (
      this.#keepsMin && this.#journal.state === 'open' && supply.size - supply.counts.closing < supply.min
    );
  }

  ready(slot: Slot<T>): void {
    this.#handOver(slot);
    this.roomChanged();
  }

  roomChanged(): void {
    this.serve();
    this.#changes.tell();
  }

  #handOver(slot: Slot<T>): void {
    const { state } = this.#journal;
    const waiter = state === 'suspended' ? undefined : this.#line.next();
    if (waiter !== undefined) {
      const now = performance.now();
      waiter.stopWaiting();
      waiter.serve(this.#lend(slot, now, now - waiter.since, waiter.acquiredAt));
    } else if (state === 'draining' || state === 'closed') {
      void this.supply.close(slot, 'drained');
    } else {
      this.supply.shelve(slot);
    }
  }

  #lend(slot: Slot<T>, now: number, waitMs: number, acquiredAt: string | undefined): Lease<T> {
    this.supply.lend(slot, now);
    this.acquired += 1;
    this.waitMs.record(waitMs);
    if (this.#journal.observed) this.#journal.tell({ type: 'acquired', waitMs });
    const lease = new Lease<T>(this, slot, acquiredAt);
    slot.lease = lease;
    if (this.#forgotten !== undefined) this.#watchFor(lease, slot);
    return lease;
  }

  #watchFor(lease: Lease<T>, slot: Slot<T>): void {
    slot.lease = new WeakRef(lease);
    slot.acquiredAt = lease.acquiredAt;
    this.#forgotten?.register(lease, { slot, uses: slot.uses });
  }

  /** Nobody can give this lease back any more. What it lent is closed: somebody may still use it, without the lease. */
  #reclaim({ slot, uses }: Loan<T>): void {
    if (slot.state !== 'leased' || slot.uses !== uses) return;
    const { acquiredAt = '' } = slot;
    const heldMs = performance.now() - slot.leasedAt;
    slot.leakReported = false;
    this.#endUse(slot);
    this.#journal.tell({ type: 'leaked', heldMs, acquiredAt, collected: true });
    void this.supply.close(slot, 'leaked');
  }

  /** All that the pool may have is leased. */
  get isExhausted(): boolean {
    return this.supply.counts.leased >= this.supply.max;
  }

  *tasks(): Iterable<Task | undefined> {
    for (const slot of this.supply.slots()) if (slot.state === 'leased') yield slot.task;
  }

  /** Runs what a caller wants to do with a lease, and tells it from others if the lease was the last to be had. */
  run<R>(lease: Lease<T>, work: () => R | Promise<R>): R | Promise<R> {
    if (!this.isExhausted) return work();
    const slot = lentBy(lease) as Slot<T>;
    if (slot.livingLease !== lease) return work();
    slot.task = new Task({
      pool: this,
      isOver: () => slot.livingLease !== lease,
      describe: () => describeHolder(slot, performance.now()),
    });
    return slot.task.run(work);
  }

  takeBack(slot: Slot<T>): Promise<void> {
    return this.supply.takeBack(slot, this.#endUse(slot)) ?? DONE;
  }

  takeBackUnfit(slot: Slot<T>, reason: string): Promise<void> {
    this.#endUse(slot);
    return this.supply.close(slot, reason);
  }

  brokeInUse(slot: Slot<T>, cause: unknown): void {
    this.#endUse(slot, new LeaseBrokenError(this.name, 'the resource was lost while it was leased', cause));
    void this.supply.close(slot, 'broken');
  }

  /** Ends every lease from this side and closes the resources under their holders. Tells who the holders were. */
  revokeAll(): LeaseHolder[] {
    const holders = longestHolders(this.supply.slots());
    for (const slot of [...this.supply.slots()]) {
      if (slot.state !== 'leased') continue;
      this.#endUse(slot, new LeaseBrokenError(this.name, 'the pool was drained and its deadline passed'));
      void this.supply.close(slot, 'revoked');
    }
    return holders;
  }

  #endUse(slot: Slot<T>, breakage?: LeaseBrokenError): number {
    const now = performance.now();
    const useMs = now - slot.leasedAt;
    if (slot.leakReported) {
      this.#journal.tell({ type: 'returned-late', heldMs: useMs, acquiredAt: slot.acquiredAt ?? '' });
    }
    if (breakage !== undefined && slot.livingLease !== undefined) breakLease(slot.livingLease, breakage);
    slot.endLease();
    this.useMs.record(useMs);
    if (this.#journal.observed) this.#journal.tell({ type: 'released', useMs });
    return now;
  }

  timedOut(waiter: Waiter<Lease<T>>): void {
    const waitedMs = performance.now() - waiter.since;
    const reason = this.#whyNothingCame(waiter, waitedMs - waiter.timeoutMs);
    const stats = this.#statsToShow();
    const cause = reason === 'create-failing' ? { cause: this.supply.opener.failure?.cause } : {};
    const holders = longestHolders(this.supply.slots()).slice(0, HOLDERS_NAMED);
    const error = new PoolTimeoutError(this.name, { reason, waitedMs, stats, holders, ...cause });
    this.timeouts += 1;
    this.#line.leave(waiter);
    waiter.refuse(error);
    this.#journal.tell({ type: 'timed-out', error });
    this.roomChanged();
  }

  aborted(waiter: Waiter<Lease<T>>, reason: unknown): void {
    this.#line.leave(waiter);
    waiter.refuse(reason);
    this.roomChanged();
  }

  #whyNothingCame({ since }: Waiter<Lease<T>>, overdueMs: number): PoolTimeoutReason {
    const { counts, max } = this.supply;
    const { failure } = this.supply.opener;
    if (overdueMs >= BLOCKED_MS) return 'event-loop-blocked';
    if (this.#journal.state === 'suspended') return 'suspended';
    if (counts.leased + counts.closing >= max) return 'leased';
    if (failure !== undefined && (failure.at >= since || counts.creating === 0)) return 'create-failing';
    return counts.creating > 0 ? 'create-slow' : 'leased';
  }

  /** Refuses everybody in the line. */
  refuseAll(reason: unknown): number {
    const refused = this.#line.length;
    for (let waiter = this.#line.next(); waiter !== undefined; waiter = this.#line.next())
      waiter.refuse(reason);
    return refused;
  }

  stats(): PoolStats {
    const { supply } = this;
    return {
      name: this.name,
      state: this.#journal.state,
      size: supply.size,
      ...supply.counts,
      waiting: this.waiting,
      min: supply.min,
      max: supply.max,
      acquired: this.acquired,
      created: supply.opener.created,
      destroyed: supply.destroyed,
      timeouts: this.timeouts,
      createFailures: supply.opener.failures,
      waitMs: this.waitMs.read(),
      useMs: this.useMs.read(),
      createMs: supply.opener.createMs.read(),
    };
  }

  /** Opens what `min` asks for, now and whenever something is missing. */
  keepMin(): void {
    this.#keepsMin = true;
    this.serve();
  }

  /** What time alone brings about: idle, aged and leaked resources. */
  sweep(): void {
    const now = performance.now();
    this.supply.sweep(now);
    if (this.#options.leakThresholdMs > 0) this.#reportLeaks(now);
    this.roomChanged();
  }

  #reportLeaks(now: number): void {
    for (const slot of this.supply.slots()) {
      const heldMs = now - slot.leasedAt;
      if (slot.state !== 'leased' || slot.leakReported || heldMs < this.#options.leakThresholdMs) continue;
      slot.leakReported = true;
      this.#journal.tell({ type: 'leaked', heldMs, acquiredAt: slot.acquiredAt ?? '', collected: false });
    }
  }

  /** Resolves as soon as `holds()`, with true, or when the time is up, with false. */
  until(holds: () => boolean, ms: number): Promise<boolean> {
    return this.#changes.until(holds, ms);
  }
}
