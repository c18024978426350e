import { Module } from '@nestjs/common';
import { Prometheus } from './prometheus.js';

@Module({ providers: [Prometheus], exports: [Prometheus] })
export class PrometheusModule {}
