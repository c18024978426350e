export { PoolModule } from './pool.module.js';
export { InjectPool } from './pool.decorators.js';
export { getPoolToken } from './pool.tokens.js';
export { PoolRegistry } from './pool.registry.js';
export type {
  AnyPoolOptions,
  CustomPoolOptions,
  PoolModuleAsyncOptions,
  PoolModuleExtras,
  PoolModuleOptions,
  PoolOptionsFactory,
} from './pool.options.js';

export { ResourcePool } from './core/resource-pool.js';
export { Lease } from './core/lease.js';
export type { LeaseHolder } from './core/lease-holder.js';
export type { ResourceFactory } from './core/resource-factory.js';
export type { PoolOptions } from './core/pool.options.js';
export type { AcquireOptions } from './core/waiter.js';
export type { Priority } from './core/waiting-line.js';
export type { PoolState } from './core/pool.state.js';
export type { DurationStats, PoolStats } from './core/pool.stats.js';
export type { DestroyReason, PoolEvent } from './core/pool.events.js';
export type { AcquireOperation, CodecOperation, CreateOperation, PoolChannels } from './core/channels.js';
export type { DrainReport } from './core/drain-report.js';
export {
  LeaseBrokenError,
  LeaseReleasedError,
  PoolClosedError,
  PoolDeadlockError,
  PoolError,
  PoolNotFoundError,
  PoolOptionsError,
  PoolQueueFullError,
  PoolTimeoutError,
  PoolUnavailableError,
} from './core/pool.errors.js';
export type { PoolErrorCode, PoolTimeoutDetails, PoolTimeoutReason } from './core/pool.errors.js';

export { RedisPool } from './redis/redis-pool.js';
export type { PingOptions, RedisPoolStats } from './redis/redis-pool.js';
export type { RedisClusterOptions } from './redis/cluster-options.js';
export type { RedisPoolOptions } from './redis/redis.options.js';
export type { RedisCommands } from './redis/commands/redis-commands.js';
export type { RedisConnection } from './redis/redis-connection.js';
export type {
  TransactionOptions,
  TransactionReplies,
  TransactionTask,
} from './redis/transactions/transaction.js';
export { RedisTransactionError } from './redis/transactions/transaction.errors.js';
export type { RedisTransactionErrorCode } from './redis/transactions/transaction.errors.js';
export { MessageStream } from './redis/messages/message-stream.js';
export type { RedisMessage, RedisPatternMessage } from './redis/messages/message-stream.js';

export { CompressionPool } from './compression/compression-pool.js';
export type { CompressionPoolStats } from './compression/compression-pool.stats.js';
export type { TrafficStats } from './compression/traffic.js';
export type {
  CompressStreamOptions,
  DecompressOptions,
  DecompressStreamOptions,
} from './compression/call.options.js';
export { PooledStream } from './compression/pooled-stream.js';
export type { CompressionPoolOptions, ParallelOptions } from './compression/compression.options.js';
export type { CompressionAlgorithm } from './compression/codecs.js';
export type { Codec, CodecStream, Coder, CoderOptions, Joiner } from './compression/codec.js';
export { CodecContext } from './compression/codec-context.js';
export { trainDictionary } from './compression/train-dictionary.js';
export type { TrainDictionaryOptions } from './compression/train-dictionary.js';
export { CompressionError, QueuedBytesError } from './compression/compression.errors.js';
export type { CompressionErrorCode } from './compression/compression.errors.js';
