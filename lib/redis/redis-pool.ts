import type { Observable } from 'rxjs';
import type { PartReport } from '../core/drain-report.js';
import { milliseconds, optionProblems, type OptionRules } from '../core/option-rules.js';
import { PoolClosedError, PoolOptionsError, PoolUnavailableError } from '../core/pool.errors.js';
import type { PoolDescription } from '../core/pool.description.js';
import type { PoolStats } from '../core/pool.stats.js';
import { ResourcePool } from '../core/resource-pool.js';
import type { AcquireOptions } from '../core/waiter.js';
import { Attendant } from './opening/attendant.js';
import { CommandKinds } from './commands/command-kinds.js';
import { knock } from './opening/connection-life.js';
import { CommandRouter } from './commands/command-router.js';
import { sendScriptsWhole } from './commands/whole-scripts.js';
import type { MessageStream, RedisMessage, RedisPatternMessage } from './messages/message-stream.js';
import { MessageStreams } from './messages/message-streams.js';
import { redisCommands, type RedisCommands } from './commands/redis-commands.js';
import type { RedisConnection } from './redis-connection.js';
import { RedisConnectionFactory } from './leases/redis-connection.factory.js';
import {
  leaseLimits,
  redisLimitProblems,
  resolveRedisPoolOptions,
  type RedisPoolLimits,
  type RedisPoolOptions,
} from './redis.options.js';
import { serverAddress } from './server-address.js';
import { SharedConnections } from './shared/shared-connections.js';
import {
  Transaction,
  transactionProblems,
  type TransactionMeans,
  type TransactionOptions,
  type TransactionReplies,
  type TransactionTask,
} from './transactions/transaction.js';
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
  private readonly transactions: TransactionMeans;
  private readonly streams: MessageStreams;
  private readonly attendant: Attendant;
  private readonly timeouts: { readonly start: number; readonly ping: number };
  private readonly server: PoolDescription['server'];
  private limits: RedisPoolLimits;

  /** @throws {PoolOptionsError} names every problem of the options; nothing was opened */
  constructor(name: string, options: RedisPoolOptions) {
    const parts = resolveRedisPoolOptions(name, options);
    const attendant = new Attendant({
      ...parts,
      pool: name,
      limits: parts.leases,
      max: () => this.limits.max,
      shared: () => this.shared.clients,
      replaceLeased: () => super.renew(),
      warn: (message) => this.warn(message),
    });
    const kinds = new CommandKinds();
    const connections = new RedisConnectionFactory(name, {
      makeClient: attendant.attended(parts.makeLeased),
      kinds,
      ready: () => this.shared.ready,
      destroyTimeoutMs: parts.leases.destroyTimeoutMs,
    });
    super(name, connections, parts.leases);
    this.attendant = attendant;
    this.connections = connections;
    this.server = serverAddress(parts);
    this.limits = parts.limits;
    this.timeouts = { start: parts.leases.createTimeoutMs, ping: parts.leases.acquireTimeoutMs };
    this.shared = new SharedConnections({
      pool: name,
      count: parts.shared,
      limits: parts.leases,
      commandTimeoutMs: parts.commandTimeoutMs,
      makeClient: attendant.attended(parts.makeShared),
      introduce: (client) => kinds.learnFrom(client),
      tell: (happening) => this.tell(happening),
      stats: () => this.stats(),
    });
    const { commandTimeoutMs } = parts;
    this.router = new CommandRouter({ pool: this, shared: this.shared, kinds, commandTimeoutMs });
    this.commands = redisCommands(this.router, sendScriptsWhole(parts.makeIdle()));
    const { keyPrefix } = parts.connection;
    this.transactions = { pool: this, commands: this.commands, keyPrefix, answerTimeoutMs: commandTimeoutMs };
    this.streams = new MessageStreams({
      pool: this,
      max: () => this.limits.max,
      maxBuffered: parts.maxBufferedMessages,
      keyPrefix,
      timeoutMs: parts.leases.acquireTimeoutMs,
      beatMs: commandTimeoutMs,
      warn: (message) => this.warn(message),
    });
  }

  /**
   * Optimistic locking: watches `keys`, lets `task` read what it needs and say what is to be done, and does that if no watched key was
   * changed meanwhile; otherwise all of it is tried again, on the same connection, after a short random pause. Resolves with what
   * ioredis' `exec()` resolves with, or with `undefined` where the task returns that, for there is nothing to do.
   *
   * The task may run many times, so that it must not do anything but read and build the chain; `exec()` is called by the pool. A
   * connection that is lost before EXEC was sent is replaced, and counts as a try. When it is lost after that, nobody knows whether
   * the transaction was executed, and it is rejected. With `exactlyOnce: true` the server is asked instead: an executed transaction
   * resolves with `null` then, since its replies are lost, and one that was not is tried again, and can never be executed twice.
   *
   * @throws {RedisTransactionError} it was in conflict with others each time, late, or lost after EXEC; its `code` says which
   * @throws {PoolOptionsError} keys, task or options make no sense
   * @throws {PoolUnavailableError} the server did not answer in time; nothing was executed
   * @throws {LeaseBrokenError} the connection was lost time and again; nothing was executed
   * @throws what `acquire()` throws, what the task throws, what the server says against the transaction, and the signal's reason;
   *   nothing was executed
   * @example
   * const replies = await pool.transaction(['stock'], async (redis) => {
   *   const stock = Number(await redis.get('stock'));
   *   return stock > 0 ? redis.multi().decr('stock').incr('sold') : undefined;
   * });
   */
  transaction<R = TransactionReplies | undefined>(
    keys: string[],
    task: TransactionTask,
    options: TransactionOptions & { exactlyOnce: true },
  ): Promise<R | null>;
  transaction<R = TransactionReplies | undefined>(
    keys: string[],
    task: TransactionTask,
    options?: TransactionOptions,
  ): Promise<R>;
  async transaction(
    keys: string[],
    task: TransactionTask,
    options: TransactionOptions = {},
  ): Promise<unknown> {
    const problems = transactionProblems(keys, task, options);
    if (problems.length > 0) throw new PoolOptionsError(this.name, problems);
    return new Transaction(this.transactions, keys, task, options).run();
  }

  /**
   * What is published to these channels. All subscribers of the pool share one connection, which is leased for the first of them and
   * given back after the last, so that `max` must be 2 at least. When it is lost, another one is acquired for as long as somebody is
   * there, and everything is subscribed to again; the first message of each channel after that has `lost: 'unknown'`.
   *
   * The stream completes when the pool is drained, or the application shuts down. It errors when it cannot be had in the first place,
   * within `acquireTimeoutMs`: with what `acquire()` throws, or what the server says against it.
   *
   * @throws {PoolOptionsError} the names are no strings, or there are none
   * @example
   * const news = pool.subscribe('news', 'weather').subscribe(({ channel, message }) => console.log(channel, message));
   * news.unsubscribe();
   */
  subscribe(...channels: string[]): MessageStream<RedisMessage> {
    return this.streams.of('subscribe', channels, () => (channel, message) => ({ channel, message }));
  }

  /** As `subscribe()`, for all channels whose names match one of these patterns (`news.*`), once for each that matches. */
  psubscribe(...patterns: string[]): MessageStream<RedisPatternMessage> {
    const named = (pattern: string) => (channel: string, message: string) => ({ pattern, channel, message });
    return this.streams.of('psubscribe', patterns, named);
  }

  /**
   * As `subscribe()`, for sharded channels, to which SPUBLISH publishes (Redis 7). Their subscribers share a connection of their own.
   * As everywhere in ioredis, `keyPrefix` stands before the names of sharded channels; here it is left out of the messages.
   */
  ssubscribe(...channels: string[]): MessageStream<RedisMessage> {
    return this.streams.of('ssubscribe', channels, (channel) => (_, message) => ({ channel, message }));
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
      return within(knock(connection), { ms, signal, late });
    };
    const wait: AcquireOptions = { timeoutMs, signal };
    await (this.shared.count > 0 ? this.shared.acquire(wait).then(ask) : this.useAlone(ask, wait));
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

  /** @internal */
  override get description(): PoolDescription {
    return { kind: 'redis', server: this.server, shared: this.shared.count };
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

  /**
   * As for any pool. Shared connections stay; where there are `credentials()`, they are asked for at once, and the shared connections
   * authenticate themselves anew where the answer has changed. When that fails they stay who they were, and a warning says why.
   */
  override renew(): void {
    super.renew();
    this.attendant.renew();
  }

  /**
   * Ends the commands that block: their callers get a `PoolClosedError`, or what was delivered before. Completes the streams of
   * messages. New ones of both are refused.
   */
  override endLongLivedWork(): void {
    this.router.endLongLivedWork();
    this.streams.end();
  }

  /** Commands that block are ended at once; ordinary ones that are in flight have until `timeoutMs`, and then fail. */
  protected override drainApart(timeoutMs: number): Promise<PartReport> {
    this.attendant.end();
    this.endLongLivedWork();
    return this.shared.drain(timeoutMs);
  }
}

const SILENCE = 'the connection is there, and the server is silent';

const PING_OPTION_RULES: OptionRules<PingOptions> = {
  timeoutMs: milliseconds('off'),
  signal: (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal'),
};
