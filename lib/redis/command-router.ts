import { setMaxListeners } from 'node:events';
import { PoolClosedError } from '../core/pool.errors.js';
import type { ResourcePool } from '../core/resource-pool.js';
import type { RedisConnection } from './redis-connection.js';
import type { SharedConnections } from './shared-connections.js';

/** Something to do with a connection. */
export type Work<R> = (connection: RedisConnection) => R | Promise<R>;

/** Finds a connection for what comes through `commands`. */
export class CommandRouter {
  readonly #pool: ResourcePool<RedisConnection>;
  readonly #shared: SharedConnections;
  readonly #longLived = new AbortController();

  constructor(pool: ResourcePool<RedisConnection>, shared: SharedConnections) {
    this.#pool = pool;
    this.#shared = shared;
    setMaxListeners(0, this.#longLived.signal); // one for each command that blocks, and `max` bounds those
  }

  get pool(): string {
    return this.#pool.name;
  }

  /** A shared connection that can take an ordinary command at once. */
  get ready(): RedisConnection | undefined {
    return this.#pool.state === 'open' ? this.#shared.ready : undefined;
  }

  /** Does ordinary work when a connection is ready for it. A pool that is suspended, draining or closed treats it as it does a lease. */
  async onAny<R>(work: Work<R>): Promise<R> {
    if (this.#shared.count === 0 || this.#pool.state !== 'open') return this.#pool.use(work);
    return work(await this.#shared.acquire());
  }

  /** Does work that blocks on a connection of its own, until it is done or the application shuts down. */
  onItsOwn<R>(work: Work<R>): Promise<R> {
    return this.#pool.use(work, { signal: this.#longLived.signal });
  }

  /** Ends the work that blocks: its callers are refused, its connections closed. There will be no more of it. */
  endLongLivedWork(): void {
    this.#longLived.abort(new PoolClosedError(this.pool, 'being closed'));
  }
}
