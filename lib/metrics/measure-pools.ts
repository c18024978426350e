import { Logger } from '@nestjs/common';
import { wordsOf } from '../core/words-of.js';
import type { PoolRegistry } from '../pool.registry.js';
import { SCOPE } from './instrument.js';
import { outletOfMeter } from './open-telemetry.js';
import type { Outlet } from './outlet.js';
import { checkPoolMetricsOptions, type PoolMetricsOptions } from './pool-metrics.options.js';
import { outletOfRegistry } from './prometheus.js';

/** Measures every pool of the registry, those that are registered later included, each until it is closed. */
export async function measurePools(options: PoolMetricsOptions, registry: PoolRegistry): Promise<void> {
  const outlets = await outletsFor(options).catch(async (error: unknown) => {
    await registry.abandon();
    throw error;
  });
  const logger = new Logger('PoolMetricsModule');
  registry.pools$.subscribe((pool) => {
    try {
      for (const outlet of outlets) outlet.add(pool);
    } catch (error) {
      logger.warn(`Pool "${pool.name}" is not measured: ${wordsOf(error)}`);
    }
  });
}

/** The packages are optional, so only what is used is loaded. */
async function outletsFor(options: PoolMetricsOptions): Promise<Outlet[]> {
  checkPoolMetricsOptions(options);
  const { meterProvider, producer, prometheus } = options;
  const outlets: Outlet[] = [];
  if (producer !== undefined) outlets.push(producer.outlet);
  if (prometheus !== undefined)
    outlets.push(outletOfRegistry(prometheus, (await import('prom-client')).default));
  if (meterProvider !== undefined) outlets.push(outletOfMeter(meterProvider.getMeter(SCOPE)));
  if (outlets.length > 0) return outlets;
  const { createNoopMeter, metrics } = await import('@opentelemetry/api');
  const meter = metrics.getMeter(SCOPE);
  // Without a global provider nobody would ever see what is measured.
  return meter === createNoopMeter() ? [] : [outletOfMeter(meter)];
}
