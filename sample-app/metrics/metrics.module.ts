import { Module } from '@nestjs/common';
import { PoolMetricsModule } from 'nestjs-pool/metrics';
import { MetricsController } from './metrics.controller.js';
import { Prometheus } from './prometheus.js';
import { PrometheusModule } from './prometheus.module.js';

@Module({
  imports: [
    PrometheusModule,
    PoolMetricsModule.forRootAsync({
      imports: [PrometheusModule],
      inject: [Prometheus],
      useFactory: ({ meterProvider }: Prometheus) => ({ meterProvider }),
    }),
  ],
  controllers: [MetricsController],
})
export class MetricsModule {}
