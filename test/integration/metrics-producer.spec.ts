import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createNoopMeter } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { PoolModule, PoolRegistry, type CompressionPool, type ResourceFactory } from 'nestjs-pool';
import { PoolMetricProducer, PoolMetricsModule } from 'nestjs-pool/metrics';

const NEVER_BY_ITSELF = 24 * 3_600_000;

/** An SDK of OpenTelemetry that exports when the test asks. */
class Sdk {
  readonly #exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly provider: MeterProvider;

  constructor(...metricProducers: MetricProducer[]) {
    const exporter = this.#exporter;
    const reader = new PeriodicExportingMetricReader({
      exporter,
      metricProducers,
      exportIntervalMillis: NEVER_BY_ITSELF,
    });
    this.provider = new MeterProvider({ readers: [reader] });
  }

  async read(): Promise<MetricData[]> {
    this.#exporter.reset();
    await this.provider.forceFlush();
    const scopes = this.#exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    for (const { scope } of scopes) expect(scope.name).toBe('nestjs-pool');
    return scopes.flatMap(({ metrics }) => metrics);
  }

  /** The values of one metric, by what their attributes say. */
  async values<Value = number>(name: string): Promise<Record<string, Value>> {
    const points = (await this.read()).find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
    return Object.fromEntries(
      (points as DataPoint<Value>[]).map(({ attributes, value }) => [
        Object.values(attributes).join(' '),
        value,
      ]),
    );
  }
}

const things: ResourceFactory<object> = {
  create: () => Promise.resolve({}),
  destroy: () => Promise.resolve(),
};

const things4 = { type: 'custom', factory: things, max: 4 } as const;

const POOLS = { things: things4, archive: { type: 'compression', algorithm: 'gzip', max: 2 } } as const;

function start(...imports: DynamicModule[]): Promise<INestApplicationContext> {
  @Module({ imports })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
}

/** What a metric says, but for the times at which things were looked at. */
function withoutTimes({ descriptor: { name, description, unit, valueType }, ...rest }: MetricData): object {
  const points = rest.dataPoints as DataPoint<unknown>[];
  const dataPoints = points.map(({ attributes, value }) => ({ attributes, value }));
  return { name, description, unit, valueType, ...rest, dataPoints };
}

const inOrder = (metrics: MetricData[]): object[] =>
  metrics.toSorted((one, other) => (one.descriptor.name < other.descriptor.name ? -1 : 1)).map(withoutTimes);

describe('A metric producer', () => {
  let producer: PoolMetricProducer;
  let sdk: Sdk;
  const apps: INestApplicationContext[] = [];

  const started = async (...imports: DynamicModule[]) => {
    const app = await start(...imports);
    apps.push(app);
    const registry = app.get(PoolRegistry, { strict: false });
    return <P = ReturnType<typeof registry.get>>(name: string) => registry.get(name) as P;
  };
  const toProducer = () => PoolMetricsModule.forRoot({ producer });

  beforeEach(() => {
    producer = new PoolMetricProducer();
    sdk = new Sdk(producer);
  });

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await sdk.provider.shutdown();
  });

  it('gives what the instruments of the SDK would have given, in all but the time', async () => {
    const instruments = new Sdk();
    const toMeter = PoolMetricsModule.forRoot({ meterProvider: instruments.provider });
    const pool = await started(toMeter, toProducer(), PoolModule.forRoot({ pools: POOLS }));
    const archive = pool<CompressionPool>('archive');
    for (const size of [0, 256, 257, 70_000]) {
      const packed = await archive.compress('x'.repeat(size));
      await archive.decompress(packed);
    }
    await expect(archive.decompress(Buffer.from('no gzip'))).rejects.toThrow();
    const leases = await Promise.all([1, 2, 3, 4].map(() => pool('things').acquire()));
    await expect(pool('things').acquire({ timeoutMs: 10 })).rejects.toThrow('leased 4/4');
    await leases[0]!.release();

    const given = inOrder(await sdk.read());
    expect(given).toHaveLength(17);
    expect(given).toEqual(inOrder(await instruments.read()));
    await Promise.all(leases.map((lease) => lease.release()));
    await instruments.provider.shutdown();
  });

  it('gives the same to several readers, and counts nothing twice', async () => {
    const other = new Sdk(producer);
    const pool = await started(toProducer(), PoolModule.forRoot({ pools: POOLS }), toProducer());
    await pool('things').use(() => undefined);
    await sdk.read();
    await pool('things').use(() => undefined);
    const [one, two] = [inOrder(await sdk.read()), inOrder(await other.read())];
    expect(one).toEqual(two);
    const used = await sdk.values<Histogram>('db.client.connection.use_time');
    expect(used.things?.count).toBe(2);
    await other.provider.shutdown();
  });

  it('says since when it has counted, and until when', async () => {
    const before = Date.now();
    const pool = await started(toProducer(), PoolModule.forRoot({ pools: POOLS }));
    await pool('things').use(() => undefined);
    const points = (await sdk.read()).flatMap(({ dataPoints }) => dataPoints as DataPoint<unknown>[]);
    const ms = ([seconds, nanos]: [number, number]) => seconds * 1_000 + nanos / 1_000_000;
    expect(points.length).toBeGreaterThan(0);
    for (const { startTime, endTime } of points) {
      expect(ms(startTime)).toBeGreaterThanOrEqual(before);
      expect(ms(endTime)).toBeGreaterThanOrEqual(ms(startTime));
      expect(ms(endTime)).toBeLessThanOrEqual(Date.now());
    }
  });

  it('gives at the end all that was counted, and no state of what is closed', async () => {
    const pool = await started(toProducer(), PoolModule.forRoot({ pools: POOLS }));
    await pool<CompressionPool>('archive').compress('x'.repeat(300));
    await pool('things').use(async () => {
      const others = await Promise.all([1, 2, 3].map(() => pool('things').acquire()));
      await pool('things')
        .acquire({ timeoutMs: 10 })
        .catch(() => undefined);
      await Promise.all(others.map((lease) => lease.release()));
    });
    await apps[0]!.close();
    await expect(sdk.values('db.client.connection.limit')).resolves.toEqual({});
    await expect(sdk.values('db.client.connection.timeouts')).resolves.toEqual({ things: 1 });
    const sizes = await sdk.values<Histogram>('nestjs.pool.compression.input.size');
    expect(sizes['archive gzip compress']).toMatchObject({ count: 1, sum: 300, min: 300, max: 300 });
  });

  it('never counts backwards when a pool is closed and another of its name opened', async () => {
    const visit = async () => {
      const pool = await started(toProducer(), PoolModule.forRoot({ pools: { things: things4 } }));
      const leases = await Promise.all([1, 2, 3, 4].map(() => pool('things').acquire()));
      await expect(pool('things').acquire({ timeoutMs: 10 })).rejects.toThrow('leased 4/4');
      await Promise.all(leases.map((lease) => lease.release()));
    };
    for (const times of [1, 2, 3]) {
      await visit();
      await expect(sdk.values('db.client.connection.timeouts')).resolves.toEqual({ things: times });
      const used = await sdk.values<Histogram>('db.client.connection.use_time');
      expect(used.things?.count).toBe(4 * times);
      await apps.at(-1)!.close();
    }
  });

  it('has nothing to give before there is a pool', async () => {
    await expect(sdk.read()).resolves.toEqual([]);
  });

  it('is shown by the Prometheus exporter of OpenTelemetry', async () => {
    const exporter = new PrometheusExporter({ preventServerStart: true, metricProducers: [producer] });
    const provider = new MeterProvider({ readers: [exporter] });
    const pool = await started(toProducer(), PoolModule.forRoot({ pools: POOLS }));
    await pool<CompressionPool>('archive').compress('x'.repeat(300));
    const text = await new Promise<string>((end) => {
      const response = { setHeader: () => undefined, end } as unknown as ServerResponse;
      exporter.getMetricsRequestHandler({} as IncomingMessage, response);
    });
    expect(text).toContain('# TYPE nestjs_pool_compression_input_size histogram\n');
    expect(text).toMatch(/^nestjs_pool_compression_input_size_bucket\{.*le="256"\} 0$/m);
    expect(text).toMatch(/^nestjs_pool_compression_input_size_bucket\{.*le="1024"\} 1$/m);
    expect(text).toMatch(/^nestjs_pool_compression_input_size_bucket\{.*le="\+Inf"\} 1$/m);
    expect(text).toMatch(/^nestjs_pool_compression_input_size_sum\{.*\} 300$/m);
    expect(text).toMatch(/^db_client_connection_limit\{.*"things".*\} 4$/m);
    await provider.shutdown();
  });

  it('is refused beside a meter provider, which would measure all of it again, as are other things in its place', async () => {
    const both = PoolMetricsModule.forRoot({ producer, meterProvider: sdk.provider });
    await expect(start(both)).rejects.toThrow('meterProvider and producer would measure everything twice');
    const other = PoolMetricsModule.forRoot({ producer: {} } as object);
    await expect(start(other)).rejects.toThrow('producer must be a PoolMetricProducer');
    const none = PoolMetricsModule.forRootAsync({ useFactory: () => undefined as never });
    await expect(start(none)).rejects.toThrow('the options must be an object, got undefined');
  });
});

describe('Without a global meter provider', () => {
  it('nothing is measured, since nobody would see it', async () => {
    const creating = jest.spyOn(createNoopMeter(), 'createHistogram');
    const app = await start(PoolMetricsModule.forRoot(), PoolModule.forRoot({ pools: POOLS }));
    await app.close();
    expect(creating).not.toHaveBeenCalled();
    creating.mockRestore();
  });
});
