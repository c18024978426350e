import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PoolRegistryModule } from '../pool.registry.module.js';
import { PoolHealthIndicator } from './pool.health.js';

/**
 * Provides the {@link PoolHealthIndicator}. Import it beside `TerminusModule`.
 *
 * @publicApi
 * @example
 * @Module({ imports: [TerminusModule, PoolHealthModule], controllers: [HealthController] })
 * export class HealthModule {}
 */
@Module({
  imports: [TerminusModule, PoolRegistryModule],
  providers: [PoolHealthIndicator],
  exports: [PoolHealthIndicator],
})
export class PoolHealthModule {}
