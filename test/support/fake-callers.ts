import { PoolError } from '../../lib/core/pool.errors.js';
import type { Lease } from '../../lib/core/lease.js';
import type { ResourcePool } from '../../lib/core/resource-pool.js';
import type { Priority } from '../../lib/core/waiting-line.js';
import type { FakeResource } from './fake-factory.js';
import type { FakeRandom } from './fake-random.js';
import { sleep } from './fake-time.js';

const LEFT = new Error('the caller left');
const BOOM = new Error('the task failed');

/** Callers of a pool who do as they like, and complain when the pool breaks a promise. */
export class FakeCallers {
  /** Every lease that somebody has and did not give back, with what it lent. */
  readonly holding = new Map<Lease<FakeResource>, FakeResource>();
  readonly complaints: string[] = [];
  asked = 0;
  settled = 0;

  readonly #pool: ResourcePool<FakeResource>;
  readonly #random: FakeRandom;
  readonly #given: Lease<FakeResource>[] = [];
  readonly #clients: AbortController[] = [];
  /** Leases whose task was told to stop: the pool may take their resources away. */
  readonly #stopped = new Set<Lease<FakeResource>>();
  readonly #lastServed: Record<Priority, number> = { high: 0, normal: 0, low: 0 };

  constructor(pool: ResourcePool<FakeResource>, random: FakeRandom) {
    this.#pool = pool;
    this.#random = random;
  }

  /** Somebody asks for a resource, for as long as he likes. */
  ask(): void {
    const priority = this.#random.oneOf<Priority>('high', 'normal', 'normal', 'low');
    const timeoutMs = this.#random.oneOf(0, 5, 50, 200);
    const caller = (this.asked += 1);
    const since = performance.now();
    const settle = () => {
      this.settled += 1;
      const waitedMs = performance.now() - since;
      if (timeoutMs > 0 && waitedMs > timeoutMs)
        this.#complain(`${waitedMs} ms of waiting instead of ${timeoutMs}`);
    };
    this.#pool.acquire({ priority, timeoutMs, signal: this.#aClient().signal }).then(
      (lease) => {
        settle();
        this.#take(lease);
        if (caller < this.#lastServed[priority])
          this.#complain(`${caller} overtaken by ${this.#lastServed[priority]}`);
        this.#lastServed[priority] = caller;
      },
      (error: unknown) => {
        settle();
        if (!(error instanceof PoolError) && error !== LEFT) this.#complain(`refused with ${String(error)}`);
      },
    );
  }

  #take(lease: Lease<FakeResource>): void {
    try {
      this.holding.set(lease, lease.resource);
    } catch {
      // The resource was lost after the pool had served this caller, and before he looked.
    }
  }

  /** Somebody has the pool run a task, which ends in one of many ways. */
  runTask(): void {
    const ms = this.#random.oneOf(0, 5, 40);
    const ending = this.#random.oneOf('return', 'return', 'reject', 'throw', 'give back');
    const { signal } = this.#aClient();
    const task = (resource: FakeResource, lease: Lease<FakeResource>): Promise<void> => {
      if (ending === 'throw') throw BOOM;
      this.holding.set(lease, resource);
      signal.addEventListener('abort', () => this.#stopped.add(lease));
      return sleep(ms).then(() => {
        this.holding.delete(lease);
        if (ending === 'reject') throw BOOM;
        return ending === 'give back' ? lease.release() : undefined;
      });
    };
    this.asked += 1;
    const settle = () => (this.settled += 1);
    this.#pool.use(task, { signal }).then(settle, (error: unknown) => {
      settle();
      if (!(error instanceof PoolError || error === LEFT || error === BOOM))
        this.#complain(`a task ended with ${String(error)}`);
    });
  }

  release(): void {
    void this.#nextToEnd()?.release();
  }

  destroy(): void {
    void this.#nextToEnd()?.destroy();
  }

  /** Somebody ends a lease that has ended already. */
  endAgain(): void {
    const lease = this.#random.oneOf(undefined, ...this.#given);
    void lease?.release();
    void lease?.destroy();
  }

  /** The caller who came first leaves, whether he waits, has a lease or is gone already. */
  leave(): void {
    this.#clients.shift()?.abort(LEFT);
  }

  /** Those whose resource was lost or taken away have nothing in hand any more; nobody else may find that. */
  lookAtHands(mayBeGone: (resource: FakeResource) => boolean): void {
    for (const [lease, resource] of this.holding) {
      try {
        if (lease.resource !== resource) this.#complain('a lease changed its resource');
      } catch {
        this.holding.delete(lease);
        if (!mayBeGone(resource) && !this.#stopped.has(lease))
          this.#complain('a resource was taken from its holder');
      }
    }
  }

  /** Whoever holds it: a task may find its lease ended by somebody else. */
  #nextToEnd(): Lease<FakeResource> | undefined {
    const lease = this.#random.oneOf(undefined, ...this.holding.keys());
    if (lease === undefined) return undefined;
    this.holding.delete(lease);
    this.#given.push(lease);
    return lease;
  }

  #aClient(): AbortController {
    const client = new AbortController();
    this.#clients.push(client);
    return client;
  }

  #complain(about: string): void {
    this.complaints.push(about);
  }
}
