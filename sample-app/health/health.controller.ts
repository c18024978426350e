import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { PoolHealthIndicator } from 'nestjs-pool/health';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly pools: PoolHealthIndicator,
  ) {}

  /** For people and monitoring. */
  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.pools.checkAll('pools')]);
  }

  /** For what restarts the process: only a process that does not answer needs that. */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([() => this.pools.livenessCheck('process')]);
  }

  /** For what sends requests here. */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.pools.readinessCheck('pools', { cacheForMs: 500 })]);
  }
}
