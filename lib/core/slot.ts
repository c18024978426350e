import type { Lease } from './lease.js';
import type { Place } from './place.js';
import type { Task } from './task.js';

/**
 * What a slot is busy with. `creating` covers opening, validating and resetting: whatever stands between a resource and its next
 * holder. Only an `idle` slot lies on the inventory's shelf; every other is out.
 */
export type SlotState = 'creating' | 'idle' | 'leased' | 'closing';

/** One of a pool's places for a resource, from before the resource is opened until it is gone. */
export class Slot<T> {
  state: SlotState = 'creating';
  /** There is none only while the slot is being opened. */
  resource!: T;
  /** The resource failed by itself and must not be lent again. */
  broken = false;
  uses = 0;
  /** Moments of `performance.now()`. */
  leasedAt = 0;
  usedAt = 0;
  validatedAt = 0;
  expiresAt = Infinity;
  /** So many tries had failed in a row before its resource could be opened; nothing until it is. */
  failuresBefore: number | undefined;

  /** The present lease. Held weakly while leaks are watched for, so that one that was forgotten can be found. */
  lease: Lease<T> | WeakRef<Lease<T>> | undefined;
  /** Where it was acquired; known only while leaks are watched for. */
  place: Place | undefined;
  /** It was reported as held too long. */
  leakReported = false;
  /** The present lease is meant to be held for long. */
  mayLast = false;
  /** It was opened before the pool was renewed, and is not lent again. */
  outdated = false;
  /** What its holder waited for is still being ended; or could not be in time, and may yet end what the next one waits for. */
  interruption: Promise<boolean> | undefined;
  /** The task that has it, if it took the last resource of the pool. */
  task: Task | undefined;

  /** The present lease, unless it was forgotten and collected. */
  get livingLease(): Lease<T> | undefined {
    return this.lease instanceof WeakRef ? this.lease.deref() : this.lease;
  }

  endLease(): void {
    this.task?.end();
    this.lease = this.place = this.task = undefined;
    this.leakReported = this.mayLast = false;
  }
}
