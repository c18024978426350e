import { setMaxListeners } from 'node:events';
import { mayLast, type Lease } from '../../core/lease.js';
import { PoolClosedError, PoolUnavailableError } from '../../core/pool.errors.js';
import type { ResourcePool } from '../../core/resource-pool.js';
import type { CommandKinds } from './command-kinds.js';
import type { RedisConnection } from '../redis-connection.js';
import type { SharedConnections } from '../shared/shared-connections.js';
import { within } from '../within.js';

/** Something to do with a connection. */
export type Work<R> = (connection: RedisConnection) => R | Promise<R>;

interface Parts {
  readonly pool: ResourcePool<RedisConnection>;
  readonly shared: SharedConnections;
  readonly kinds: CommandKinds;
  /** How long a command may take; 0 is no limit. */
  readonly commandTimeoutMs: number;
}

/** Finds a connection for what comes through `commands`. */
export class CommandRouter {
  readonly kinds: CommandKinds;
  readonly #pool: ResourcePool<RedisConnection>;
  readonly #shared: SharedConnections;
  readonly #commandTimeoutMs: number;
  readonly #longLived = new AbortController();

  constructor({ pool, shared, kinds, commandTimeoutMs }: Parts) {
    this.kinds = kinds;
    this.#pool = pool;
    this.#shared = shared;
    this.#commandTimeoutMs = commandTimeoutMs;
    setMaxListeners(0, this.#longLived.signal); // one for each command that blocks, and `max` bounds those
  }

  get pool(): string {
    return this.#pool.name;
  }

  /** A shared connection that can take an ordinary command at once. */
  get ready(): RedisConnection | undefined {
    return this.#pool.state === 'open' ? this.#shared.ready : undefined;
  }

  /**
   * Does ordinary work when a connection is ready for it. A pool that is suspended, draining or closed treats it as it does a lease.
   * `blocks` is asked when the server has told of its own commands, for the first ones come earlier.
   */
  async onAny<R>(work: Work<R>, blocks: () => boolean): Promise<R> {
    if (this.#shared.count === 0 || this.#pool.state !== 'open') return this.#onLease(work, blocks);
    const connection = await this.#shared.acquire();
    return blocks() ? this.onItsOwn(work) : work(connection);
  }

  /**
   * Does work that blocks on a connection of its own, until it is done or the application shuts down. However long: it is no leak.
   * Where it says itself for how long it blocks, in milliseconds, its answer is waited for as much longer as for any other.
   */
  onItsOwn<R>(work: Work<R>, blockMs = Infinity): Promise<R> {
    const ms = this.#commandTimeoutMs === 0 ? 0 : blockMs + this.#commandTimeoutMs;
    const blocked = (connection: RedisConnection, lease: Lease<RedisConnection>) => {
      mayLast(lease);
      return within(Promise.resolve(work(connection)), { ms, late: () => this.#late(ms) });
    };
    return this.#pool.useAlone(blocked, { signal: this.#longLived.signal });
  }

  /** Ends the work that blocks: its callers are refused. There will be no more of it. */
  endLongLivedWork(): void {
    this.#longLived.abort(new PoolClosedError(this.pool, 'being closed'));
  }

  /** A connection that still owes an answer when its time is up is not lent again. */
  #onLease<R>(work: Work<R>, blocks: () => boolean): Promise<R> {
    return this.#pool.useAlone(async (connection) => {
      if (!this.kinds.hasAsked) await this.kinds.learnFrom(connection);
      const ms = blocks() ? 0 : this.#commandTimeoutMs;
      return within(Promise.resolve(work(connection)), { ms, late: () => this.#late(ms) });
    });
  }

  #late(ms: number): PoolUnavailableError {
    const what = `a command was not answered within ${ms} ms`;
    return new PoolUnavailableError(this.pool, what, new Error('the server is busy or silent'));
  }
}
