import { ReplyError, type ChainableCommander, type Command } from 'ioredis';
import { PoolError } from '../../core/pool.errors.js';
import { isCluster } from '../nodes.js';
import type { RedisConnection } from '../redis-connection.js';

/** What a chain of ioredis has inside, as far as it tells one kind from another. */
interface ChainInside {
  readonly isPipeline: unknown;
  readonly redis: unknown;
  readonly _queue: readonly Command[];
}

/** What is wrong with what a task returned; nothing when it can be committed on `connection`. */
export function chainProblem(returned: unknown, connection: RedisConnection): string | undefined {
  if (Array.isArray(returned)) return 'an array, as exec() gives it';
  if (!isChain(returned)) return returned === null ? 'null' : `a value of type ${typeof returned}`;
  if (returned.redis !== connection) return 'a chain of another connection';
  if (returned._queue[0]?.name !== 'multi') return 'a pipeline()';
  return returned._queue.at(-1)?.name === 'exec' ? 'a chain that was executed already' : undefined;
}

/** EXEC of the chain would be written now, and not refused because the connection is gone. */
export function canBeSent(connection: RedisConnection): boolean {
  return connection.status === 'ready' && (isCluster(connection) || connection.stream.writable);
}

/** The server refused it, or it was not sent, for an argument is malformed or its keys are on several nodes of a cluster. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ReplyError ||
  (error instanceof PoolError && error.code === 'ERR_POOL_COMMAND_REFUSED') ||
  (error instanceof Error && error.message.includes('same slots allocation group'));

/** The replies of EXEC: null when a watched key was changed. */
export type ExecReplies = Awaited<ReturnType<ChainableCommander['exec']>>;

const isChain = (value: unknown): value is ChainInside =>
  typeof value === 'object' && value !== null && (value as Partial<ChainInside>).isPipeline === true;
