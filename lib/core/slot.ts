import type { Lease } from './lease.js';

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
  lease: Lease<T> | undefined;
  /** The resource failed by itself and must not be lent again. */
  broken = false;
  uses = 0;
  /** Moments of `performance.now()`. */
  leasedAt = 0;
  usedAt = 0;
  validatedAt = 0;
  expiresAt = Infinity;
  /** The present lease was reported as held too long. */
  leakReported = false;
}
