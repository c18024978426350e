import { Redis } from 'ioredis';
import type { Observable } from 'rxjs';
import type { PartReport } from '../core/drain-report.js';
import { milliseconds, optionProblems, type OptionRules } from '../core/option-rules.js';
import { PoolClosedError, PoolOptionsError, PoolUnavailableError } from '../core/pool.errors.js';
import type { PoolStats } from '../core/pool.stats.js';
import { ResourcePool } from '../core/resource-pool.js';
import type { AcquireOptions } from '../core/waiter.js';
import { CommandRouter } from './command-router.js';
import { redisCommands, type RedisCommands } from './redis-commands.js';
import type { RedisConnection } from './redis-connection.js';
import { RedisConnectionFactory } from './redis-connection.factory.js';
import {
  leaseLimits,
  redisLimitProblems,
  resolveRedisPoolOptions,
  type RedisPoolLimits,
  type RedisPoolOptions,
} from './redis.options.js';
import { SharedConnections } from './shared-connections.js';
import { within } from './within.js';

/**
 * What a Redis pool looked like at one moment. The shared connections are part of it:
 * `size` is `shared + idle + leased + creating + closing` and never more than `max`.
 *
 * @publicApi
 */
export interface RedisPoolStats extends PoolStats {
  /** Connections that carry commands of all callers and are ready for them. */
  readonly shared: number;
}

/** How long a ping may take. @publicApi */
export interface PingOptions {
  /** Default `acquireTimeoutMs`; 0 waits for ever. */
  timeoutMs?: number;
  /** Aborting it rejects the ping with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * A pool of Redis connections. `commands` is enough for most work; `use()` and `acquire()` lend a connection for what needs one to
 * itself: a transaction that watches keys, another database, a subscription.
 *
 * A connection that is lent never reconnects behind its holder's back: when it is lost, its lease is broken and says so. Nobody gets
 * a connection that its last holder changed, or left with commands unanswered.
 *
 * @publicApi
 * @example
 * const pool = new RedisPool('cache', { type: 'redis', url: 'redis://localhost:6379', max: 16 });
 * await pool.commands.set('greeting', 'hello');
 * const job = await pool.commands.blpop('jobs', 0);
 * await pool.use(async (redis) => {
 *   await redis.watch('stock');
 *   const stock = Number(await redis.get('stock'));
 *   return redis.multi().set('stock', stock - 1).exec();
 * });
 * await pool.drain();
 */
export class RedisPool extends ResourcePool<RedisConnection> {
  /** Every command of ioredis, each on a connection that suits it. */
  readonly commands: RedisCommands;

  private readonly shared: SharedConnections;
  private readonly connections: RedisConnectionFactory;
  private readonly router: CommandRouter;
  private readonly timeouts: { readonly start: number; readonly ping: number };
  private limits: RedisPoolLimits;

  /** @throws {PoolOptionsError} names every problem of the options; nothing was opened */
  constructor(name: string, options: RedisPoolOptions) {
    const parts = resolveRedisPoolOptions(name, options);
    const connections = new RedisConnectionFactory(name, parts.makeLeased);
    super(name, connections, parts.leases);
    this.connections = connections;
    this.limits = parts.limits;
    this.timeouts = { start: parts.leases.createTimeoutMs, ping: parts.leases.acquireTimeoutMs };
    this.shared = new SharedConnections({
      pool: name,
      count: parts.shared,
      limits: parts.leases,
      makeClient: parts.makeShared,
      stats: () => this.stats(),
    });
    this.router = new CommandRouter(this, this.shared);
    this.commands = redisCommands(this.router, new Redis({ ...parts.connection, lazyConnect: true }));
  }

  /**
   * How long a PING takes, in milliseconds: on a shared connection, or on a leased one where `shared` is 0.
   *
   * @throws {PoolTimeoutError} no connection in time; the cause says why
   * @throws {PoolUnavailableError} the server did not answer in time
   * @throws {PoolClosedError} the pool is draining or closed
   * @throws the signal's reason
   */
  async ping(options: PingOptions = {}): Promise<number> {
    const problems = optionProblems(options, PING_OPTION_RULES);
    if (problems.length > 0) throw new PoolOptionsError(this.name, problems);
    const { timeoutMs = this.timeouts.ping, signal } = options;
    const startedAt = performance.now();
    const ask = (connection: RedisConnection) => {
      const ms = timeoutMs === 0 ? 0 : Math.max(1, timeoutMs - (performance.now() - startedAt));
      const late = () =>
        new PoolUnavailableError(this.name, `no answer to PING within ${timeoutMs} ms`, new Error(SILENCE));
      return within(connection.ping(), { ms, signal, late });
    };
    const wait: AcquireOptions = { timeoutMs, signal };
    await (this.shared.count > 0 ? this.shared.acquire(wait).then(ask) : this.use(ask, wait));
    return performance.now() - startedAt;
  }

  /**
   * Opens the shared connections and `min` more, and resolves when all are ready. Where that is none, it asks the server by a ping.
   * @throws {PoolUnavailableError} they were not ready within `timeoutMs` (default `createTimeoutMs`); the cause says why.
   *   The pool goes on trying until it is drained.
   */
  override async start({ timeoutMs = this.timeouts.start }: { timeoutMs?: number } = {}): Promise<void> {
    const outcomes = await Promise.allSettled([
      this.shared.count > 0 ? this.shared.start(timeoutMs) : this.ping({ timeoutMs }),
      super.start({ timeoutMs }),
    ]);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw this.startError(failed.reason, timeoutMs);
  }

  private startError(reason: unknown, timeoutMs: number): unknown {
    if (this.shared.count > 0 || reason instanceof PoolClosedError) return reason;
    // The connection itself knows best, even while it is still being opened.
    const { cause = reason } = this.connections;
    return new PoolUnavailableError(this.name, `could not connect within ${timeoutMs} ms`, cause);
  }

  override stats(): RedisPoolStats {
    const leases = super.stats();
    const { shared, creating, closing } = this.shared.counts;
    return {
      ...leases,
      ...this.limits,
      size: leases.size + shared + creating + closing,
      shared,
      creating: leases.creating + creating,
      closing: leases.closing + closing,
      waiting: leases.waiting + this.shared.waiting,
      created: leases.created + this.shared.created,
      destroyed: leases.destroyed + this.shared.destroyed,
      timeouts: leases.timeouts + this.shared.timeouts,
    };
  }

  override stats$(everyMs?: number): Observable<RedisPoolStats> {
    return super.stats$(everyMs) as Observable<RedisPoolStats>;
  }

  /** As for any pool; the shared connections stay, and are part of `max`. */
  override resize(limits: { min?: number; max?: number }): void {
    const { min = this.limits.min, max = this.limits.max } = limits;
    const problems = redisLimitProblems({ ...limits, min, max }, this.shared.count);
    if (problems.length > 0) throw new PoolOptionsError(this.name, problems);
    this.limits = { min, max };
    super.resize(leaseLimits(this.limits, this.shared.count));
  }

  /** Ends the commands that block: their callers get a `PoolClosedError`, their connections are closed. New ones are refused. */
  override endLongLivedWork(): void {
    this.router.endLongLivedWork();
  }

  /** Commands that block are ended at once; ordinary ones that are in flight have until `timeoutMs`, and then fail. */
  protected override drainApart(timeoutMs: number): Promise<PartReport> {
    this.endLongLivedWork();
    return this.shared.drain(timeoutMs);
  }
}

const SILENCE = 'the connection is there, and the server is silent';

const PING_OPTION_RULES: OptionRules<PingOptions> = {
  timeoutMs: milliseconds('off'),
  signal: (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal'),
};
