import { describe, expect, it } from '@jest/globals';
import * as health from './health/index.js';
import * as main from './index.js';
import * as metrics from './metrics/index.js';

describe('The public surface', () => {
  it('of nestjs-pool', () => {
    expect(Object.keys(main).sort()).toEqual([
      'CodecContext',
      'CompressionError',
      'CompressionPool',
      'InjectPool',
      'Lease',
      'LeaseBrokenError',
      'LeaseReleasedError',
      'MessageStream',
      'PoolClosedError',
      'PoolDeadlockError',
      'PoolError',
      'PoolModule',
      'PoolNotFoundError',
      'PoolOptionsError',
      'PoolQueueFullError',
      'PoolRegistry',
      'PoolTimeoutError',
      'PoolUnavailableError',
      'PooledStream',
      'QueuedBytesError',
      'RedisPool',
      'RedisTransactionError',
      'ResourcePool',
      'getPoolToken',
      'trainDictionary',
    ]);
  });

  it('of nestjs-pool/health', () => {
    expect(Object.keys(health).sort()).toEqual(['PoolHealthIndicator', 'PoolHealthModule']);
  });

  it('of nestjs-pool/metrics', () => {
    expect(Object.keys(metrics)).toEqual(['PoolMetricProducer', 'PoolMetricsModule']);
  });
});
