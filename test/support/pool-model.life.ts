import type { FakeResource } from './fake-factory.js';

/** What exists outside the pool. Nobody knows yet what a call of `create` will give. */
export interface Thing {
  resource?: FakeResource;
  state: 'opening' | 'live' | 'closing';
  closingSince: number;
  /** The pool gave it up, as a good one does at the deadline, and is not to blame for it any more. */
  isForgotten: boolean;
  /** It was begun before the pool was renewed. */
  isOutdated: boolean;
}

/** What is known of one resource. */
export interface Life extends FakeResource {
  arrivedAt: number;
  /** When it was last known to be well: it arrived, was given back or said so. */
  wellAt: number;
  uses: number;
  /** It failed by itself. */
  isLost: boolean;
  /** Given to `destroy`. */
  isClosed: boolean;
  /** By `create`: the second time may come too late to be seen for what it is, and is closed like any late arrival. */
  wasGivenTwice: boolean;
  /** It was asked, as `validate` or `reset`, and did not say yes. */
  isDoubtful: boolean;
  /** It was opened, or begun to be, before the pool was renewed. */
  isOutdated: boolean;
  /** What its holder waited for is still being ended. */
  isInterrupted: boolean;
  /** How many in a row could not be opened before it. */
  failuresBefore: number;
  broken?: (cause: unknown) => void;
}

export function newborn(): Omit<Life, 'id'> {
  const now = performance.now();
  return {
    arrivedAt: now,
    wellAt: now,
    uses: 0,
    isLost: false,
    isClosed: false,
    wasGivenTwice: false,
    isDoubtful: false,
    isOutdated: false,
    isInterrupted: false,
    failuresBefore: 0,
  };
}
