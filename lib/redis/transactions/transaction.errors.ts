import { PoolError } from '../../core/pool.errors.js';
import { wordsOf } from '../../core/words-of.js';

/** The codes of a {@link RedisTransactionError}. */
export type RedisTransactionErrorCode =
  | 'ERR_POOL_TRANSACTION_CONFLICT'
  | 'ERR_POOL_TRANSACTION_UNKNOWN'
  | 'ERR_POOL_TRANSACTION_TIMEOUT'
  | 'ERR_POOL_TRANSACTION_TASK';

/**
 * `pool.transaction()` could not commit. Its code says what became of it:
 *
 * - `ERR_POOL_TRANSACTION_CONFLICT`: others changed a watched key, try after try. Nothing was executed.
 * - `ERR_POOL_TRANSACTION_TIMEOUT`: `timeoutMs` passed before EXEC was sent. Nothing was executed.
 * - `ERR_POOL_TRANSACTION_UNKNOWN`: EXEC was sent and its answer never came. It was executed once, or not at all.
 * - `ERR_POOL_TRANSACTION_TASK`: the task returned something that cannot be committed.
 *
 * @publicApi
 * @example
 * if (error instanceof RedisTransactionError && error.code === 'ERR_POOL_TRANSACTION_UNKNOWN') await reconcile();
 */
export class RedisTransactionError extends PoolError {
  declare readonly code: RedisTransactionErrorCode;
  /** How often the keys were watched and the task was run. */
  readonly tries: number;

  constructor(
    code: RedisTransactionErrorCode,
    pool: string,
    message: string,
    { tries, ...options }: { tries: number; cause?: unknown },
  ) {
    super(code, pool, message, options);
    this.tries = tries;
  }
}

export const conflict = (pool: string, tries: number): RedisTransactionError =>
  new RedisTransactionError(
    'ERR_POOL_TRANSACTION_CONFLICT',
    pool,
    `the transaction was given up after ${times(tries)}: each time somebody changed a watched key before EXEC, ` +
      'and nothing was executed; watch fewer keys, shorten the task, or raise retries',
    { tries },
  );

export const late = (pool: string, tries: number, timeoutMs: number): RedisTransactionError =>
  new RedisTransactionError(
    'ERR_POOL_TRANSACTION_TIMEOUT',
    pool,
    `the transaction was not ready for EXEC within ${timeoutMs} ms (${times(tries)}), and nothing was executed`,
    { tries },
  );

export const unknown = (pool: string, tries: number, cause: unknown): RedisTransactionError =>
  new RedisTransactionError(
    'ERR_POOL_TRANSACTION_UNKNOWN',
    pool,
    `EXEC was sent and its answer never came (${wordsOf(cause)}), so nobody knows whether the transaction was executed; ` +
      'read the keys to find out, make the transaction one that may be repeated, or ask for exactlyOnce: true',
    { tries, cause },
  );

export const wrongTask = (pool: string, tries: number, returned: string): RedisTransactionError =>
  new RedisTransactionError(
    'ERR_POOL_TRANSACTION_TASK',
    pool,
    'the task must return a chain that it made by multi() of the connection it was given, without calling exec(), or undefined; ' +
      `it returned ${returned}`,
    { tries },
  );

const times = (tries: number): string => (tries === 1 ? '1 try' : `${tries} tries`);
