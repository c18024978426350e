import { AsyncResource } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { Backoff } from '../../core/backoff.js';
import type { PartReport } from '../../core/drain-report.js';
import {
  PoolClosedError,
  tooManyWait,
  PoolTimeoutError,
  PoolUnavailableError,
} from '../../core/pool.errors.js';
import type { PoolHappening } from '../../core/pool.events.js';
import type { PoolStats } from '../../core/pool.stats.js';
import { Waiter, type AcquireOptions, type WaiterOwner } from '../../core/waiter.js';
import { WaitingLine } from '../../core/waiting-line.js';
import { Changes } from '../../core/changes.js';
import { sharedClient } from '../client-kinds.js';
import { Answers } from './head-of-line.js';
import { quickestOf } from './quickest-connection.js';
import type { RedisConnection } from '../redis-connection.js';
import type { SharedClient } from './shared-connection.js';

interface Limits {
  readonly acquireTimeoutMs: number;
  readonly createTimeoutMs: number;
  readonly destroyTimeoutMs: number;
  readonly maxWaiting: number;
}

interface Parts {
  readonly pool: string;
  /** How many there are to be. */
  readonly count: number;
  readonly limits: Limits;
  /** How long a command may take; 0 is no limit. */
  readonly commandTimeoutMs: number;
  /** Makes a client that is not connected yet. */
  readonly makeClient: () => RedisConnection;
  /** Asks the server something before the first caller is let in; rejects when the connection was lost over that. */
  readonly introduce?: (client: RedisConnection) => Promise<void>;
  /** Hears when none of them can be used, and when one can again. */
  readonly tell?: (happening: PoolHappening) => void;
  /** Those of the whole pool, for errors. */
  readonly stats: () => PoolStats;
}

/**
 * The connections that carry ordinary commands of all callers. They are opened when the first command needs them, and stay.
 * While none is ready callers wait, each until its deadline, in the order in which they came.
 */
export class SharedConnections implements WaiterOwner<RedisConnection> {
  readonly count: number;
  created = 0;
  destroyed = 0;
  timeouts = 0;

  readonly #parts: Parts;
  readonly #connections: SharedClient[] = [];
  readonly #line = new WaitingLine<Waiter<RedisConnection>>();
  readonly #changes = new Changes();
  readonly #answers = new Answers();
  readonly #backoff = new Backoff(() => this.#openMissing());
  /** A socket must not keep the async context of the caller who happened to need it first. */
  readonly #root = new AsyncResource('nestjs-pool');
  #state: 'open' | 'draining' | 'closed' = 'open';
  #isIntroduced: boolean;
  #isConnected = false;
  #cause: unknown;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#isIntroduced = parts.introduce === undefined;
    this.count = parts.count;
  }

  /** The connection that will answer soonest, if there is one that can take a command at once without overtaking anybody. */
  get ready(): RedisConnection | undefined {
    if (this.#line.length > 0 || !this.#isIntroduced) return undefined;
    return quickestOf(this.#connections)?.client;
  }

  /** Those that can carry commands now. */
  get clients(): RedisConnection[] {
    return this.#connections.filter((connection) => connection.isReady).map(({ client }) => client);
  }

  get waiting(): number {
    return this.#line.length;
  }

  /** How many connections exist, by what they are doing. */
  get counts(): { shared: number; creating: number; closing: number } {
    const closing = this.#connections.filter((connection) => connection.isFinishing).length;
    const shared = this.#connections.filter((connection) => connection.isReady).length;
    return { shared, creating: this.#connections.length - shared - closing, closing };
  }

  /**
   * A connection that is ready.
   * @throws {PoolTimeoutError} none was in time; the cause says why
   * @throws {PoolQueueFullError} the server is away, and `maxWaiting` callers wait for it already
   * @throws {PoolClosedError} the pool is draining or closed
   * @throws the signal's reason
   */
  acquire(options: AcquireOptions = {}): Promise<RedisConnection> {
    const { pool, limits } = this.#parts;
    if (this.#state !== 'open') return Promise.reject(new PoolClosedError(pool, this.#state));
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason as Error);
    const { ready } = this;
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#isFailing && this.#line.length >= limits.maxWaiting)
      return Promise.reject(tooManyWait(pool, limits.maxWaiting));
    const { timeoutMs = limits.acquireTimeoutMs } = options;
    return new Promise((resolve, reject) => {
      this.#line.join(new Waiter<RedisConnection>(this, { resolve, reject }, timeoutMs, undefined, options));
      this.#openMissing();
    });
  }

  /**
   * Opens all and resolves when they are ready.
   * @throws {PoolUnavailableError} they were not in time; the cause says why
   * @throws {PoolClosedError} the pool is draining or closed, or became so meanwhile
   */
  async start(timeoutMs: number): Promise<void> {
    const { pool } = this.#parts;
    if (this.#state === 'open') this.#openMissing();
    const isUp = () => this.#isIntroduced && this.counts.shared === this.count;
    await this.#changes.until(() => isUp() || this.#state !== 'open', timeoutMs);
    if (this.#state !== 'open') throw new PoolClosedError(pool, this.#state);
    if (!isUp()) throw new PoolUnavailableError(pool, `could not connect within ${timeoutMs} ms`, this.cause);
  }

  /** Why not all are ready. */
  get cause(): unknown {
    const { trouble } = this.#connections.find((connection) => !connection.isReady) ?? {};
    return trouble?.cause ?? this.#cause ?? new Error('the server is slow to answer');
  }

  /** Serves those who wait and lets what is in flight finish until the time is up, then closes all. */
  async drain(timeoutMs: number): Promise<PartReport> {
    const { limits } = this.#parts;
    const startedAt = performance.now();
    const before = { waiting: this.waiting, timeouts: this.timeouts, destroyed: this.destroyed };
    this.#state = 'draining';
    this.#changes.tell();
    await this.#changes.until(() => this.waiting === 0, timeoutMs);
    const rejected = this.#refuseAll();
    this.#backoff.stop();
    await turn(); // for those who were served to send their commands
    const leftMs = Math.max(0, timeoutMs - (performance.now() - startedAt));
    const connections = [...this.#connections];
    const answered = await Promise.all(connections.map((connection) => connection.finish(leftMs)));
    const closed = await Promise.all(
      connections.map((connection) => connection.close(limits.destroyTimeoutMs)),
    );
    this.#state = 'closed';
    const timeouts = this.timeouts - before.timeouts;
    return {
      clean: rejected === 0 && answered.every(Boolean),
      served: before.waiting - rejected - timeouts,
      rejected,
      closed: this.destroyed - before.destroyed,
      closeFailures: closed.filter((gone) => !gone).length,
      durationMs: performance.now() - startedAt,
    };
  }

  #refuseAll(): number {
    const refused = this.waiting;
    for (let waiter = this.#line.next(); waiter !== undefined; waiter = this.#line.next())
      waiter.refuse(new PoolClosedError(this.#parts.pool, 'closed'));
    return refused;
  }

  /** @internal */
  timedOut(waiter: Waiter<RedisConnection>): void {
    const { pool, stats } = this.#parts;
    const waitedMs = performance.now() - waiter.since;
    const reason = this.#isFailing ? 'create-failing' : 'create-slow';
    const error = new PoolTimeoutError(pool, {
      reason,
      waitedMs,
      overdueMs: Math.max(0, waitedMs - waiter.timeoutMs),
      stats: stats(),
      holders: [],
      cause: this.cause,
    });
    this.timeouts += 1;
    this.aborted(waiter, error);
  }

  /** @internal */
  aborted(waiter: Waiter<RedisConnection>, reason: unknown): void {
    this.#line.leave(waiter);
    waiter.refuse(reason);
    this.#changes.tell();
  }

  get #isFailing(): boolean {
    return this.#backoff.failing || this.#connections.some(({ trouble }) => trouble.exists);
  }

  #openMissing(): void {
    while (this.#connections.length < this.count && !this.#backoff.resting) this.#open();
  }

  #open(): void {
    const { makeClient, limits } = this.#parts;
    const own = { changes: this.#changes, answers: this.#answers, greetingTimeoutMs: limits.createTimeoutMs };
    const parts = { ...this.#parts, ...own };
    const openedAt = performance.now();
    try {
      const connection = this.#root.runInAsyncScope(() => sharedClient(makeClient(), parts));
      this.#connections.push(connection);
      connection.client.once('ready', () => {
        this.created += 1;
        this.#parts.tell?.({ type: 'created', createMs: performance.now() - openedAt });
      });
      connection.client.on('ready', () => this.#welcome(connection));
      connection.client.on('close', () => this.#lost());
      connection.client.once('end', () => this.#remove(connection));
    } catch (error) {
      this.#cause = error;
      this.#backoff.failed();
      this.#lost();
    }
  }

  #welcome(connection: SharedClient): void {
    this.#backoff.succeeded();
    if (this.#isIntroduced) this.#serve(connection);
    else void this.#introduce(connection);
  }

  async #introduce({ client }: SharedClient): Promise<void> {
    try {
      await this.#parts.introduce?.(client);
    } catch {
      return; // the next connection that becomes ready does it
    }
    this.#isIntroduced = true;
    for (const each of this.#connections) if (each.isReady) this.#serve(each);
  }

  #serve(connection: SharedClient): void {
    for (let waiter = this.#line.next(); waiter !== undefined; waiter = this.#line.next())
      waiter.serve(connection.client);
    this.#changes.tell();
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#parts.tell?.({ type: 'connected' });
  }

  /** One is lost, or could not be opened; ioredis tries again. */
  #lost(): void {
    if (this.#state !== 'open' || this.#connections.some(({ isReady }) => isReady)) return;
    this.#isConnected = false;
    this.#parts.tell?.({ type: 'disconnected', cause: this.cause });
  }

  /** ioredis has given up on it, or it was closed. */
  #remove(connection: SharedClient): void {
    this.#connections.splice(this.#connections.indexOf(connection), 1);
    if (connection.wasReady) this.destroyed += 1;
    this.#cause = connection.trouble.cause;
    if (this.#state === 'open') this.#backoff.failed();
    this.#changes.tell();
  }
}
