import type { MeterProvider } from '@opentelemetry/api';
import type { Registry } from 'prom-client';
import { isObject, optionProblems, type OptionRules } from '../core/option-rules.js';
import { PoolOptionsError } from '../core/pool.errors.js';
import { PoolMetricProducer } from './pool-metric-producer.js';

/**
 * Where the measurements of the pools go. Without any of these, to the global meter provider of OpenTelemetry.
 *
 * @publicApi
 */
export interface PoolMetricsOptions {
  /** OpenTelemetry: instruments are made by its meter `nestjs-pool`. */
  meterProvider?: MeterProvider;
  /** OpenTelemetry, for next to nothing in each call: the producer that the readers of the SDK were given. Not beside `meterProvider`. */
  producer?: PoolMetricProducer;
  /** prom-client: metrics are registered here, with the names that OpenTelemetry prescribes for Prometheus. */
  prometheus?: Registry;
}

const having =
  (method: string, what: string) =>
  (value: unknown): string | undefined =>
    typeof (value as Record<string, unknown> | null)?.[method] === 'function' ? undefined : what;

const RULES: OptionRules<PoolMetricsOptions> = {
  meterProvider: having('getMeter', 'a MeterProvider of OpenTelemetry'),
  producer: (value) => (value instanceof PoolMetricProducer ? undefined : 'a PoolMetricProducer'),
  prometheus: having('registerMetric', 'a Registry of prom-client'),
};

/** @throws {PoolOptionsError} names every problem at once */
export function checkPoolMetricsOptions(options: PoolMetricsOptions): void {
  const problems = optionProblems(options, RULES);
  if (isObject(options) && options.meterProvider !== undefined && options.producer !== undefined)
    problems.push('meterProvider and producer would measure everything twice: give one of them');
  if (problems.length > 0) throw new PoolOptionsError('', problems);
}
