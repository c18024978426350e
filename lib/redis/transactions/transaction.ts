import type { ChainableCommander } from 'ioredis';
import type { Lease } from '../../core/lease.js';
import {
  functionOf,
  integer,
  optionProblems,
  trueOrFalse,
  type OptionRules,
} from '../../core/option-rules.js';
import { LeaseBrokenError, PoolUnavailableError } from '../../core/pool.errors.js';
import { ACQUIRE_OPTION_RULES, type ResourcePool } from '../../core/resource-pool.js';
import type { AcquireOptions } from '../../core/waiter.js';
import { isRedirected } from '../leases/cluster-watch.js';
import { Deadline } from './deadline.js';
import { pause } from './pause.js';
import type { RedisCommands } from '../commands/redis-commands.js';
import type { RedisConnection } from '../redis-connection.js';
import { canBeSent, chainProblem, isRefusal, type ExecReplies } from './transaction-chain.js';
import { conflict, late, unknown, wrongTask } from './transaction.errors.js';
import { TransactionMarker } from './transaction-marker.js';
import { within } from '../within.js';

/**
 * How a transaction is tried. `signal` and `timeoutMs` (default none) cover all of it: waiting for a connection, the task, the pauses
 * between two tries. Waiting for a connection takes no longer than `acquireTimeoutMs` in any case.
 *
 * @publicApi
 */
export interface TransactionOptions extends AcquireOptions {
  /** How often it is tried again after a conflict or a lost connection. Default 200. */
  retries?: number;
  /**
   * Finds out what became of a transaction whose connection was lost before EXEC was answered, by a key of its own that expires after
   * a minute. Default false: such a transaction is rejected as unknown.
   */
  exactlyOnce?: boolean;
}

/** What `exec()` of ioredis resolves with: an error or a reply for each command. @publicApi */
export type TransactionReplies = [error: Error | null, reply: unknown][];

/** Reads what it needs from the connection that watches, and returns what is to be executed. @publicApi */
export type TransactionTask = (connection: RedisConnection) => Promise<ChainableCommander | undefined>;

/** What the transactions of a pool need. */
export interface TransactionMeans {
  readonly pool: ResourcePool<RedisConnection>;
  readonly commands: RedisCommands;
  readonly keyPrefix: string | undefined;
  /** How long the server may take to answer; 0 is no limit. */
  readonly answerTimeoutMs: number;
}

/** Under this, fifty callers who change one key over ten connections all the time do not give up. */
const RETRIES = 200;

/** The pause after a conflict is random below a limit that doubles: long enough that whoever was faster is done. */
const PAUSE_MS = { first: 1, longest: 50 };

/** WATCH, task, MULTI, EXEC, tried again until it is committed. One for each call. */
export class Transaction {
  readonly #means: TransactionMeans;
  readonly #keys: string[];
  readonly #task: TransactionTask;
  readonly #options: TransactionOptions;
  readonly #retries: number;
  readonly #deadline: Deadline;
  #tries = 0;
  /** When EXEC was sent, while its answer is not known. */
  #sentAt: number | undefined;
  #marker: TransactionMarker | undefined;

  constructor(means: TransactionMeans, keys: string[], task: TransactionTask, options: TransactionOptions) {
    const { retries = RETRIES, timeoutMs = 0 } = options;
    this.#means = means;
    this.#keys = keys;
    this.#task = task;
    this.#options = options;
    this.#retries = retries;
    this.#deadline = new Deadline(options, () => late(means.pool.name, this.#tries, timeoutMs));
  }

  /** The replies; nothing when the task wanted nothing; null when it was executed and the replies were lost. */
  async run(): Promise<unknown> {
    try {
      for (;;) {
        const done = await this.#onOneLease();
        if (done !== undefined) return done.replies;
        await this.#rest();
      }
    } finally {
      this.#deadline.end();
    }
  }

  /** Nothing when the connection was lost and it may be tried again. */
  async #onOneLease(): Promise<{ replies: unknown } | undefined> {
    const { pool } = this.#means;
    try {
      const replies = await pool.use((connection, lease) => this.#untilCommitted(connection, lease), {
        signal: this.#deadline.signal,
        timeoutMs: this.#timeToAcquire,
        priority: this.#options.priority,
      });
      return { replies };
    } catch (error) {
      if (this.#sentAt === undefined && !this.#isLoss(error) && !isRedirected(error)) throw error;
      if (this.#sentAt !== undefined && (await this.#wasExecuted(this.#sentAt, error)))
        return { replies: null };
      if (this.#tries > this.#retries) throw error;
      return undefined;
    }
  }

  get #timeToAcquire(): number | undefined {
    const { leftMs } = this.#deadline;
    return leftMs === Infinity ? this.#options.timeoutMs : Math.max(1, leftMs);
  }

  async #untilCommitted(connection: RedisConnection, lease: Lease<RedisConnection>): Promise<unknown> {
    const { pool, keyPrefix } = this.#means;
    const { exactlyOnce = false } = this.#options;
    this.#deadline.arm();
    for (;;) {
      this.#tries += 1;
      this.#marker = exactlyOnce ? new TransactionMarker(this.#keys[0]!, keyPrefix) : undefined;
      const watched = this.#marker === undefined ? this.#keys : [...this.#keys, this.#marker.key];
      await this.#answered('WATCH', lease, connection.watch(...watched));
      const chain = await this.#task(connection);
      if (chain === undefined) return undefined;
      const problem = chainProblem(chain, connection);
      if (problem !== undefined) throw wrongTask(pool.name, this.#tries, problem);
      const replies = await this.#commit(chain, lease);
      if (replies !== null) return replies;
      if (this.#tries > this.#retries) throw conflict(pool.name, this.#tries);
      await this.#rest();
    }
  }

  async #commit(chain: ChainableCommander, lease: Lease<RedisConnection>): Promise<ExecReplies> {
    this.#marker?.addTo(chain);
    this.#deadline.signal.throwIfAborted();
    if (!canBeSent(lease.resource)) throw new LeaseBrokenError(this.#means.pool.name, LOST_BEFORE_EXEC);
    this.#sentAt = performance.now();
    try {
      const replies = await this.#answered('EXEC', lease, chain.exec());
      this.#sentAt = undefined;
      return this.#marker === undefined ? replies : (replies?.slice(0, -1) ?? null);
    } catch (error) {
      if (isRefusal(error)) this.#sentAt = undefined;
      throw error;
    }
  }

  /** A connection on which the server stays silent is of no use to anybody. */
  #answered<R>(command: string, lease: Lease<RedisConnection>, answer: Promise<R>): Promise<R> {
    const { pool, answerTimeoutMs: ms } = this.#means;
    const late = () => {
      void lease.destroy('silent');
      return new PoolUnavailableError(
        pool.name,
        `no answer to ${command} within ${ms} ms`,
        new Error(SILENCE),
      );
    };
    return within(answer, { ms, late });
  }

  #isLoss(error: unknown): boolean {
    return error instanceof LeaseBrokenError && error.pool === this.#means.pool.name;
  }

  /** @throws {RedisTransactionError} nobody knows */
  async #wasExecuted(sentAt: number, cause: unknown): Promise<boolean> {
    const { pool, commands } = this.#means;
    this.#sentAt = undefined;
    if (this.#marker === undefined) throw unknown(pool.name, this.#tries, cause);
    try {
      return await this.#marker.wasExecuted(commands, { sentAt, signal: this.#deadline.signal });
    } catch (error) {
      throw unknown(pool.name, this.#tries, error);
    }
  }

  #rest(): Promise<void> {
    const limit = Math.min(PAUSE_MS.longest, PAUSE_MS.first * 2 ** this.#tries);
    return pause(Math.random() * limit, this.#deadline.signal);
  }
}

const LOST_BEFORE_EXEC = 'the connection was lost before EXEC was sent';

const SILENCE = 'the connection is there, and the server is silent';

const OPTION_RULES: OptionRules<TransactionOptions> = {
  ...ACQUIRE_OPTION_RULES,
  retries: integer(0),
  exactlyOnce: trueOrFalse,
};

/** Every problem of what `transaction()` was given, a sentence each. */
export function transactionProblems(keys: unknown, task: unknown, options: unknown): string[] {
  const areKeys = Array.isArray(keys) && keys.length > 0 && keys.every((key) => typeof key === 'string');
  return [
    ...(areKeys
      ? []
      : ['keys must be an array of strings, at least one: what is not watched may change unseen']),
    ...optionProblems(
      { task },
      { task: functionOf('(connection) => Promise<ChainableCommander | undefined>') },
    ),
    ...(task === undefined ? ['a task is missing'] : []),
    ...optionProblems(options, OPTION_RULES),
  ];
}
