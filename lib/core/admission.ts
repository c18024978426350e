import { Changes } from './changes.js';
import { acquiring, traced } from './channels.js';
import { DurationHistogram } from './duration-histogram.js';
import { longestHolders } from './lease-holder.js';
import type { Lease } from './lease.js';
import { Lending } from './lending.js';
import {
  PoolClosedError,
  PoolDeadlockError,
  tooManyWait,
  PoolTimeoutError,
  PoolUnavailableError,
  type PoolTimeoutReason,
} from './pool.errors.js';
import type { Journal } from './journal.js';
import { NotedWait } from './noted-wait.js';
import type { Place } from './place.js';
import type { ResolvedPoolOptions } from './pool.options.js';
import type { DurationStats, PoolStats } from './pool.stats.js';
import { RecentDurations } from './recent-durations.js';
import type { ResourceFactory } from './resource-factory.js';
import type { Slot } from './slot.js';
import { Supply, type Demand } from './supply.js';
import { Task } from './task.js';
import { Waiter, type AcquireOptions, type Outcome, type WaiterOwner } from './waiter.js';
import { WaitingLine } from './waiting-line.js';

/** A timer that fires this much too late was held up by the process itself. */
const BLOCKED_MS = 100;

/** How many holders a time-out names. */
const HOLDERS_NAMED = 5;

/**
 * The demand side of a pool: who gets a resource, who waits, in which order, how long, and who is told what.
 * A caller who finds a fit idle resource and nobody waiting gets it without a timer and without a place in the line.
 */
export class Admission<T> implements Demand<T>, WaiterOwner<Lease<T>> {
  readonly name: string;
  readonly supply: Supply<T>;
  readonly lending: Lending<T>;
  timeouts = 0;

  readonly #journal: Journal;
  readonly #options: ResolvedPoolOptions;
  readonly #statsToShow: () => PoolStats;
  readonly #line = new WaitingLine<Waiter<Lease<T>>>();
  readonly #waitMs = new DurationHistogram();
  readonly #recentWaitMs = new RecentDurations();
  readonly #changes = new Changes();
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
    this.supply = new Supply<T>(journal, factory, options, this);
    this.lending = new Lending<T>(journal, this.supply, options.leakThresholdMs);
  }

  get waiting(): number {
    return this.#line.length;
  }

  acquire(options: AcquireOptions | undefined, place: Place | undefined): Promise<Lease<T>> {
    if (!acquiring.hasSubscribers) return this.#acquire(options, place);
    const operation = { pool: this.name, priority: options?.priority ?? 'normal' };
    return traced(acquiring, operation, () => this.#acquire(options, place));
  }

  /** As `acquire()`, without a promise: `outcome` hears at once or later, on anybody's stack and in anybody's async context. */
  acquireFor(
    outcome: Outcome<Lease<T>>,
    options: AcquireOptions | undefined,
    place: Place | undefined,
  ): void {
    if (acquiring.hasSubscribers) {
      this.acquire(options, place).then(
        (lease) => outcome.resolve(lease),
        (reason: unknown) => outcome.reject(reason),
      );
      return;
    }
    const lease = this.#lendNow(options, place);
    if (lease === undefined) this.#wait(outcome, options, place);
    else outcome.resolve(lease);
  }

  #acquire(options: AcquireOptions | undefined, place: Place | undefined): Promise<Lease<T>> {
    const lease = this.#lendNow(options, place);
    if (lease !== undefined) return Promise.resolve(lease);
    return new Promise((resolve, reject) => this.#wait({ resolve, reject }, options, place));
  }

  #lendNow(options: AcquireOptions | undefined, place: Place | undefined): Lease<T> | undefined {
    if (options?.signal?.aborted === true || this.#journal.state !== 'open') return undefined;
    if (this.#line.length > 0 || !this.supply.hasIdle) return undefined;
    const now = performance.now();
    const slot = this.supply.take(now);
    return slot && this.#lend(slot, now, 0, place);
  }

  #wait(outcome: Outcome<Lease<T>>, options: AcquireOptions | undefined, place: Place | undefined): void {
    if (options?.signal?.aborted === true) return outcome.reject(options.signal.reason);
    const { state } = this.#journal;
    if (state === 'draining' || state === 'closed')
      return outcome.reject(new PoolClosedError(this.name, state));
    this.#keepsMin = true;
    if (this.supply.isDown) return outcome.reject(this.#unavailable());
    if (this.#line.length >= this.#options.maxWaiting + this.#placesComing)
      return outcome.reject(tooManyWait(this.name, this.#options.maxWaiting));
    const task = Task.current;
    if (task === undefined) this.#queue(outcome, options, place);
    else this.#waitAs(task, outcome, options, place);
  }

  #queue(outcome: Outcome<Lease<T>>, options: AcquireOptions | undefined, place: Place | undefined): void {
    const timeoutMs = options?.timeoutMs ?? this.#options.acquireTimeoutMs;
    this.#line.join(new Waiter<Lease<T>>(this, outcome, timeoutMs, place, options));
    this.supply.opener.keepAwake();
    this.serve();
  }

  /** A task that holds the last resource of a pool asks for more. */
  #waitAs(
    task: Task,
    outcome: Outcome<Lease<T>>,
    options: AcquireOptions | undefined,
    place: Place | undefined,
  ): void {
    const wait = new NotedWait(task, this.lending, outcome);
    const held = task.deadlockWith(this.lending);
    if (held === undefined) return this.#queue(wait, options, place);
    wait.reject(new PoolDeadlockError(this.name, held.pool.name, held.describe(), this.#statsToShow()));
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

  /** While the breaker is open one try after the other is made, whoever waits: nobody may, and still it must heal. */
  get #needsMore(): boolean {
    const { supply } = this;
    const isProbing = supply.opener.breakerIsOpen && this.#journal.state === 'open';
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
    const waiter = state === 'suspended' ? undefined : this.#next();
    if (waiter !== undefined) {
      const now = performance.now();
      waiter.stopWaiting();
      waiter.serve(this.#lend(slot, now, now - waiter.since, waiter.place));
    } else if (state === 'draining' || state === 'closed') {
      void this.supply.close(slot, 'drained');
    } else {
      this.supply.shelve(slot);
    }
  }

  /** Who is next. A signal that is aborting tells its listeners in turn, and one before may have given something back. */
  #next(): Waiter<Lease<T>> | undefined {
    for (let waiter = this.#line.next(); waiter !== undefined; waiter = this.#line.next()) {
      if (waiter.signal?.aborted !== true) return waiter;
      waiter.refuse(waiter.signal.reason);
    }
    return undefined;
  }

  #lend(slot: Slot<T>, now: number, waitMs: number, place: Place | undefined): Lease<T> {
    this.#waitMs.record(waitMs);
    this.#recentWaitMs.record(waitMs);
    const lease = this.lending.lend(slot, now, place);
    if (this.#journal.observed) this.#journal.tell({ type: 'acquired', waitMs });
    return lease;
  }

  brokeInUse(slot: Slot<T>, cause: unknown): void {
    this.lending.breakLease(slot, cause);
  }

  timedOut(waiter: Waiter<Lease<T>>): void {
    const waitedMs = performance.now() - waiter.since;
    const overdueMs = Math.max(0, waitedMs - waiter.timeoutMs);
    const reason = this.#whyNothingCame(waiter, overdueMs);
    const stats = this.#statsToShow();
    const cause = reason === 'create-failing' ? { cause: this.supply.opener.failure?.cause } : {};
    const holders = longestHolders(this.supply.slots()).slice(0, HOLDERS_NAMED);
    const error = new PoolTimeoutError(this.name, { reason, waitedMs, overdueMs, stats, holders, ...cause });
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
      acquired: this.lending.lent,
      created: supply.opener.created,
      destroyed: supply.destroyed,
      timeouts: this.timeouts,
      createFailures: supply.opener.failures,
      breaker: supply.opener.breakerIsOpen ? 'open' : 'closed',
      waitMs: this.#waitMs.read(),
      useMs: this.lending.useMs.read(),
      createMs: supply.opener.createMs.read(),
    };
  }

  /** From the call of `acquire()` to the lease, in the last minute or two. */
  get recentWaitMs(): DurationStats {
    return this.#recentWaitMs.read();
  }

  /** Opens what `min` asks for, now and whenever something is missing. */
  keepMin(): void {
    this.#keepsMin = true;
    this.serve();
  }

  /** What time alone brings about: idle, aged and leaked resources. */
  sweep(): void {
    const now = performance.now();
    this.#recentWaitMs.turn(now);
    this.supply.sweep(now);
    this.lending.reportLeaks(now);
    this.roomChanged();
  }

  renew(): void {
    this.supply.renew();
    this.roomChanged();
  }

  /** Resolves as soon as `holds()`, with true, or when the time is up, with false. */
  until(holds: () => boolean, ms: number): Promise<boolean> {
    return this.#changes.until(holds, ms);
  }
}
