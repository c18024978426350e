import { Controller, Get, Header } from '@nestjs/common';
import { Prometheus } from './prometheus.js';

@Controller('metrics')
export class MetricsController {
  constructor(private readonly prometheus: Prometheus) {}

  @Get()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  scrape(): Promise<string> {
    return this.prometheus.scrape();
  }
}
