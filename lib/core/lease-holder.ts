import type { Place } from './place.js';

/** Somebody who holds a resource, as told by errors, events and reports. */
export interface LeaseHolder {
  /** How long the resource has been held, in milliseconds. */
  readonly heldMs: number;
  /** Where the lease was acquired (a stack); known only while `leakThresholdMs` is on. */
  readonly acquiredAt?: string;
}

/** Something in somebody's hands. */
export interface Held {
  readonly state: string;
  readonly leasedAt: number;
  readonly place: Place | undefined;
}

/** Who holds what, the longest first. */
export function longestHolders(slots: Iterable<Held>): LeaseHolder[] {
  const now = performance.now();
  return [...slots]
    .filter((slot) => slot.state === 'leased')
    .sort((one, other) => one.leasedAt - other.leasedAt)
    .map((slot) => describeHolder(slot, now));
}

export function describeHolder({ leasedAt, place }: Held, now: number): LeaseHolder {
  return { heldMs: now - leasedAt, ...(place !== undefined && { acquiredAt: place.toString() }) };
}
