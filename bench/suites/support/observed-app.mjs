import 'reflect-metadata';
import { subscribe, tracingChannel } from 'node:diagnostics_channel';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PoolModule, PoolRegistry } from '../../../dist/index.js';
import { PoolMetricProducer, PoolMetricsModule } from '../../../dist/metrics/index.js';

const PLAIN_CHANNELS = ['leak', 'evict', 'drain', 'breaker'];
const TRACING_CHANNELS = ['acquire', 'create', 'compress', 'decompress'];

/** An application with a Redis pool, a compression pool, and the module of metrics with these options, if there are any. */
export async function openPools(url, metrics) {
  const pools = {
    cache: { type: 'redis', url },
    archive: { type: 'compression', algorithm: 'gzip' },
  };
  class AppModule {}
  const imports = metrics === undefined ? [] : [PoolMetricsModule.forRoot(await metrics())];
  Module({ imports: [...imports, PoolModule.forRoot({ pools })] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  return app.get(PoolRegistry, { strict: false });
}

/** A subscriber on every channel. */
export function listenToChannels() {
  const listen = () => undefined;
  const handlers = { start: listen, end: listen, asyncStart: listen, asyncEnd: listen, error: listen };
  for (const name of TRACING_CHANNELS) tracingChannel(`nestjs-pool:${name}`).subscribe(handlers);
  for (const name of PLAIN_CHANNELS) subscribe(`nestjs-pool:${name}`, listen);
}

export const toNobody = () => Promise.resolve({});

export const byInstruments = async () => ({ meterProvider: await openTelemetrySdk([]) });

export async function byProducer() {
  const producer = new PoolMetricProducer();
  await openTelemetrySdk([producer]);
  return { producer };
}

export async function toPromClient() {
  const { Registry } = (await import('prom-client')).default;
  return { prometheus: new Registry() };
}

/** Exports once a second, to memory. */
async function openTelemetrySdk(metricProducers) {
  const sdk = await import('@opentelemetry/sdk-metrics');
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
  const options = { exporter, metricProducers, exportIntervalMillis: 1_000 };
  return new sdk.MeterProvider({ readers: [new sdk.PeriodicExportingMetricReader(options)] });
}
