export { PoolMetricProducer } from './pool-metric-producer.js';
export { PoolMetricsModule } from './pool-metrics.module.js';
export type { PoolMetricsOptions } from './pool-metrics.options.js';
