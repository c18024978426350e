import { ConfigurableModuleBuilder, Module, type DynamicModule } from '@nestjs/common';
import { PoolRegistry } from '../pool.registry.js';
import { PoolRegistryModule } from '../pool.registry.module.js';
import { measurePools } from './measure-pools.js';
import type { PoolMetricsOptions } from './pool-metrics.options.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<PoolMetricsOptions>({
  moduleName: 'PoolMetrics',
})
  .setClassMethodName('forRoot')
  .build();

/**
 * Measures all pools of the application, in whatever module they are registered, each until it is closed: by the semantic conventions
 * of OpenTelemetry, or under the same names with prom-client.
 *
 * @publicApi
 * @example
 * PoolMetricsModule.forRoot()                       // the global meter provider of OpenTelemetry
 * PoolMetricsModule.forRoot({ meterProvider })      // this one
 * PoolMetricsModule.forRoot({ producer })           // the SDK's readers, without its instruments
 * PoolMetricsModule.forRoot({ prometheus: register }) // prom-client
 */
@Module({
  imports: [PoolRegistryModule],
  providers: [
    {
      provide: 'POOL_METRICS',
      inject: [MODULE_OPTIONS_TOKEN, PoolRegistry],
      useFactory: measurePools,
    },
  ],
})
export class PoolMetricsModule extends ConfigurableModuleClass {
  /** @throws {PoolOptionsError} at the start of the application: names every problem of the options */
  static override forRoot(options: PoolMetricsOptions = {}): DynamicModule {
    return super.forRoot(options);
  }
}
