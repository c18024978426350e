import { DurationHistogram } from './duration-histogram.js';
import type { Journal } from './journal.js';
import { longestHolders, type LeaseHolder } from './lease-holder.js';
import { breakLease, DONE, Lease, lentBy, type Lender } from './lease.js';
import { LeaseBrokenError } from './pool.errors.js';
import type { Slot } from './slot.js';
import type { Supply } from './supply.js';
import type { Place } from './place.js';
import { Task, type Contended } from './task.js';

/** One lending of a slot, told from later ones of the same slot. */
interface Loan<T> {
  readonly slot: Slot<T>;
  readonly uses: number;
}

/** What is in the hands of callers: hands resources out, takes them back, and knows who has them. */
export class Lending<T> implements Lender<T>, Contended {
  readonly name: string;
  readonly useMs = new DurationHistogram();
  /** Leases handed out so far. */
  lent = 0;

  readonly #journal: Journal;
  readonly #supply: Supply<T>;
  readonly #leakThresholdMs: number;
  /** Hears of leases that were garbage-collected; only while leaks are watched for. */
  readonly #forgotten: FinalizationRegistry<Loan<T>> | undefined;

  constructor(journal: Journal, supply: Supply<T>, leakThresholdMs: number) {
    this.name = journal.name;
    this.#journal = journal;
    this.#supply = supply;
    this.#leakThresholdMs = leakThresholdMs;
    if (leakThresholdMs > 0) this.#forgotten = new FinalizationRegistry((loan) => this.#reclaim(loan));
  }

  lend(slot: Slot<T>, now: number, place: Place | undefined): Lease<T> {
    this.#supply.lend(slot, now);
    this.lent += 1;
    const lease = new Lease<T>(this, slot, place);
    slot.lease = lease;
    slot.place = place;
    if (this.#forgotten !== undefined) this.#watchFor(lease, slot);
    return lease;
  }

  #watchFor(lease: Lease<T>, slot: Slot<T>): void {
    slot.lease = new WeakRef(lease);
    this.#forgotten?.register(lease, { slot, uses: slot.uses });
  }

  /** Nobody can give this lease back any more. What it lent is closed: somebody may still use it, without the lease. */
  #reclaim({ slot, uses }: Loan<T>): void {
    if (slot.state !== 'leased' || slot.uses !== uses) return;
    const acquiredAt = String(slot.place ?? '');
    const heldMs = performance.now() - slot.leasedAt;
    slot.leakReported = false;
    this.#endUse(slot);
    this.#journal.tell({ type: 'leaked', heldMs, acquiredAt, collected: true });
    void this.#supply.close(slot, 'leaked');
  }

  /** All that the pool may have is leased. */
  get isExhausted(): boolean {
    return this.#supply.counts.leased >= this.#supply.max;
  }

  *tasks(): Iterable<Task | undefined> {
    for (const slot of this.#supply.slots()) if (slot.state === 'leased') yield slot.task;
  }

  /** Runs what a caller wants to do with a lease, and tells it from others if the lease was the last to be had. */
  run<R>(lease: Lease<T>, work: () => R | Promise<R>): R | Promise<R> {
    if (!this.isExhausted) return work();
    const slot = lentBy(lease) as Slot<T>;
    if (slot.livingLease !== lease) return work();
    slot.task = new Task(this, slot);
    return slot.task.run(work);
  }

  /** Ends what a resource is waiting for in its holder's hands, if it can be; the promise, where there is one, never rejects. */
  interrupt(lease: Lease<T>, reason: unknown): Promise<unknown> | undefined {
    const slot = lentBy(lease) as Slot<T>;
    return slot.livingLease === lease ? this.#supply.interrupt(slot, reason) : undefined;
  }

  takeBack(slot: Slot<T>): Promise<void> {
    return this.#supply.takeBack(slot, this.#endUse(slot)) ?? DONE;
  }

  takeBackUnfit(slot: Slot<T>, reason: string): Promise<void> {
    this.#endUse(slot);
    return this.#supply.close(slot, reason);
  }

  /** The resource failed in its holder's hands. */
  breakLease(slot: Slot<T>, cause: unknown): void {
    this.#endUse(slot, new LeaseBrokenError(this.name, 'the resource was lost while it was leased', cause));
    void this.#supply.close(slot, 'broken');
  }

  /** Ends every lease from this side and closes the resources under their holders. Tells who the holders were. */
  revokeAll(): LeaseHolder[] {
    const holders = longestHolders(this.#supply.slots());
    for (const slot of [...this.#supply.slots()]) {
      if (slot.state !== 'leased') continue;
      this.#endUse(slot, new LeaseBrokenError(this.name, 'the pool was drained and its deadline passed'));
      void this.#supply.close(slot, 'revoked');
    }
    return holders;
  }

  #endUse(slot: Slot<T>, breakage?: LeaseBrokenError): number {
    const now = performance.now();
    const useMs = now - slot.leasedAt;
    const { leakReported, place = '' } = slot;
    if (breakage !== undefined && slot.livingLease !== undefined) breakLease(slot.livingLease, breakage);
    slot.endLease(); // before anybody hears of it, and perhaps uses the pool at once
    if (leakReported) this.#journal.tell({ type: 'returned-late', heldMs: useMs, acquiredAt: String(place) });
    this.useMs.record(useMs);
    if (this.#journal.observed) this.#journal.tell({ type: 'released', useMs });
    return now;
  }

  /** Tells who has held a resource for too long, once for each lease. */
  reportLeaks(now: number): void {
    if (this.#leakThresholdMs === 0) return;
    for (const slot of this.#supply.slots()) {
      const heldMs = now - slot.leasedAt;
      const isExpected = slot.lease === undefined || slot.mayLast || heldMs < this.#leakThresholdMs;
      if (isExpected || slot.leakReported) continue;
      slot.leakReported = true;
      this.#journal.tell({ type: 'leaked', heldMs, acquiredAt: String(slot.place ?? ''), collected: false });
    }
  }
}
