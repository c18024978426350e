import type { ResolvedPoolOptions } from '../../lib/core/pool.options.js';
import type { ResourcePool } from '../../lib/core/resource-pool.js';
import type { FakeResource } from './fake-factory.js';

/** What the parts of the model know of each other, so that each can tell whether the pool was within its rights. */
export interface World {
  readonly pool: ResourcePool<FakeResource>;
  readonly options: ResolvedPoolOptions;

  /** The pool may lend, revoke leases, and refuse everybody because it ends or because nothing can be opened. */
  readonly mayLend: boolean;
  readonly mayRevoke: boolean;
  readonly mayBeClosed: boolean;
  readonly mayBeUnavailable: boolean;
  /** When a listener last did something in the middle of an event. */
  readonly meddledAt: number;
  /** Something is being done in the middle of an event, or of a call of the factory. */
  readonly isMeddling: boolean;

  /** Somebody has a lease of it that is good. */
  isHeld(resource: FakeResource): boolean;
  /** It failed by itself. */
  wasLost(resource: FakeResource): boolean;
  /** It was given to `destroy`. */
  wasClosed(resource: FakeResource): boolean;

  wasLent(resource: FakeResource): void;
  wasGivenBack(resource: FakeResource): void;

  /** The pool broke a promise. */
  complain(about: string): void;
}
