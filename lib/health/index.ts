export { PoolHealthModule } from './pool-health.module.js';
export { PoolHealthIndicator } from './pool.health.js';
export type {
  AllChecksOptions,
  BreakerCheckOptions,
  PingCheckOptions,
  PingLimits,
  ReadinessCheckOptions,
  ReplicationCheckOptions,
  ReplicationLimits,
  SaturationCheckOptions,
  SaturationLimits,
  WaitCheckOptions,
  WaitLimits,
} from './health.options.js';
