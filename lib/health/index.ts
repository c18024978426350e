export { PoolHealthModule } from './pool-health.module.js';
export { PoolHealthIndicator } from './pool.health.js';
export type { PingCheckOptions, SaturationCheckOptions } from './pool.health.js';
