import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { metrics as globalMetrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import {
  ATTR_DB_CLIENT_CONNECTION_POOL_NAME,
  ATTR_DB_CLIENT_CONNECTION_STATE,
  ATTR_ERROR_TYPE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  DB_CLIENT_CONNECTION_STATE_VALUE_IDLE,
  DB_CLIENT_CONNECTION_STATE_VALUE_USED,
  METRIC_DB_CLIENT_CONNECTION_COUNT,
  METRIC_DB_CLIENT_CONNECTION_CREATE_TIME,
  METRIC_DB_CLIENT_CONNECTION_IDLE_MAX,
  METRIC_DB_CLIENT_CONNECTION_IDLE_MIN,
  METRIC_DB_CLIENT_CONNECTION_LIMIT,
  METRIC_DB_CLIENT_CONNECTION_MAX,
  METRIC_DB_CLIENT_CONNECTION_PENDING_REQUESTS,
  METRIC_DB_CLIENT_CONNECTION_TIMEOUTS,
  METRIC_DB_CLIENT_CONNECTION_USE_TIME,
  METRIC_DB_CLIENT_CONNECTION_WAIT_TIME,
} from '@opentelemetry/semantic-conventions/incubating';
import {
  PoolModule,
  PoolRegistry,
  type CompressionPool,
  type PoolModuleOptions,
  type RedisPool,
  type ResourceFactory,
} from 'nestjs-pool';
import { PoolMetricsModule } from 'nestjs-pool/metrics';
import { Gauge, Registry } from 'prom-client';
import { eventually } from '../support/eventually.js';
import { useRedisServer } from '../support/redis-server.js';

const NEVER_BY_ITSELF = 24 * 3_600_000;

/** An SDK of OpenTelemetry whose metrics are read when the test asks. */
class Sdk {
  readonly #exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly scraped = new PrometheusExporter({ preventServerStart: true });
  readonly provider = new MeterProvider({
    readers: [
      this.scraped,
      new PeriodicExportingMetricReader({
        exporter: this.#exporter,
        exportIntervalMillis: NEVER_BY_ITSELF,
      }),
    ],
  });

  /** Every metric, by its name. */
  async read(): Promise<Map<string, MetricData>> {
    this.#exporter.reset();
    await this.provider.forceFlush();
    const scopes = this.#exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    for (const { scope } of scopes) expect(scope.name).toBe('nestjs-pool');
    return new Map(
      scopes.flatMap(({ metrics }) => metrics.map((metric) => [metric.descriptor.name, metric])),
    );
  }

  /** The values of a counter, by what their attributes say. */
  async values(name: string): Promise<Record<string, unknown>> {
    const points = ((await this.read()).get(name)?.dataPoints ?? []) as DataPoint<number>[];
    return Object.fromEntries(
      points.map(({ attributes, value }) => [Object.values(attributes).join(' '), value]),
    );
  }

  async histogram(name: string): Promise<DataPoint<Histogram>[]> {
    return ((await this.read()).get(name)?.dataPoints ?? []) as DataPoint<Histogram>[];
  }
}

const things: ResourceFactory<object> = {
  create: () => Promise.resolve({}),
  destroy: () => Promise.resolve(),
};

/** Starts an application of real Nest, as `main.ts` does. */
function start(...imports: DynamicModule[]): Promise<INestApplicationContext> {
  @Module({ imports })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
}

const onePool = (name: string): PoolModuleOptions<string> => ({
  pools: { [name]: { type: 'custom', factory: things, max: 4 } },
});

const { UP_DOWN, UP, HISTOGRAM } = {
  UP_DOWN: { dataPointType: DataPointType.SUM, isMonotonic: false },
  UP: { dataPointType: DataPointType.SUM, isMonotonic: true },
  HISTOGRAM: { dataPointType: DataPointType.HISTOGRAM },
};

const POOL = [ATTR_DB_CLIENT_CONNECTION_POOL_NAME, ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT];

/** What the convention says, and where it is silent (compression) what docs/observability.md says. */
const CONVENTION: [name: string, kind: object, unit: string, attributes: string[]][] = [
  [METRIC_DB_CLIENT_CONNECTION_COUNT, UP_DOWN, '{connection}', [...POOL, ATTR_DB_CLIENT_CONNECTION_STATE]],
  [METRIC_DB_CLIENT_CONNECTION_IDLE_MAX, UP_DOWN, '{connection}', POOL],
  [METRIC_DB_CLIENT_CONNECTION_IDLE_MIN, UP_DOWN, '{connection}', POOL],
  [METRIC_DB_CLIENT_CONNECTION_MAX, UP_DOWN, '{connection}', POOL],
  [METRIC_DB_CLIENT_CONNECTION_LIMIT, UP_DOWN, '{connection}', POOL],
  [METRIC_DB_CLIENT_CONNECTION_PENDING_REQUESTS, UP_DOWN, '{request}', POOL],
  [METRIC_DB_CLIENT_CONNECTION_TIMEOUTS, UP, '{timeout}', POOL],
  [METRIC_DB_CLIENT_CONNECTION_CREATE_TIME, HISTOGRAM, 's', POOL],
  [METRIC_DB_CLIENT_CONNECTION_WAIT_TIME, HISTOGRAM, 's', POOL],
  [METRIC_DB_CLIENT_CONNECTION_USE_TIME, HISTOGRAM, 's', POOL],
  ...compression(),
];

function compression(): typeof CONVENTION {
  const pool = ['nestjs.pool.name', 'nestjs.pool.compression.algorithm'];
  const call = [...pool, 'nestjs.pool.compression.direction'];
  const state = [...pool, 'nestjs.pool.compression.context.state'];
  return [
    ['nestjs.pool.compression.duration', HISTOGRAM, 's', call],
    ['nestjs.pool.compression.input.size', HISTOGRAM, 'By', call],
    ['nestjs.pool.compression.output.size', HISTOGRAM, 'By', call],
    ['nestjs.pool.compression.context.count', UP_DOWN, '{context}', state],
    ['nestjs.pool.compression.context.max', UP_DOWN, '{context}', pool],
    ['nestjs.pool.compression.context.pending_requests', UP_DOWN, '{request}', pool],
    ['nestjs.pool.compression.context.timeouts', UP, '{timeout}', pool],
  ];
}

/** The name that OpenTelemetry prescribes for Prometheus. */
function prometheusName([name, kind, unit]: (typeof CONVENTION)[number]): string {
  const units: Record<string, string> = { s: '_seconds', By: '_bytes' };
  return name.replaceAll('.', '_') + (units[unit] ?? '') + (kind === UP ? '_total' : '');
}

describe('The metrics of an application', () => {
  const redis = useRedisServer();
  const registry = new Registry();
  let sdk: Sdk;
  let app: INestApplicationContext;

  const pool = <P>(name: string) => app.get(PoolRegistry, { strict: false }).get(name) as P;
  const cache = () => pool<RedisPool>('cache');
  const archive = () => pool<CompressionPool>('archive');

  beforeEach(async () => {
    sdk = new Sdk();
    app = await start(
      PoolMetricsModule.forRoot({ meterProvider: sdk.provider, prometheus: registry }),
      PoolModule.forRoot({
        pools: {
          cache: { type: 'redis', url: redis.url, max: 5, min: 2 },
          archive: { type: 'compression', algorithm: 'gzip', max: 2 },
        },
      }),
    );
    await cache().use((connection) => connection.ping());
    await archive().decompress(await archive().compress('a'.repeat(1_024)));
  });

  afterEach(async () => {
    await app.close();
    await sdk.provider.shutdown();
  });

  it.each(CONVENTION)('have %s as the convention has it', async (name, kind, unit, attributes) => {
    const metric = (await sdk.read()).get(name);
    expect(metric).toMatchObject({ ...kind, descriptor: { name, unit } });
    expect(metric?.descriptor.description).not.toBe('');
    for (const point of metric?.dataPoints ?? [])
      expect(Object.keys(point.attributes).sort()).toEqual([...attributes].sort());
    expect(metric?.dataPoints.length).toBeGreaterThan(0);
  });

  it('have nothing else', async () => {
    expect([...(await sdk.read()).keys()].sort()).toEqual(CONVENTION.map(([name]) => name).sort());
  });

  it('count the connections: a shared one is in use, since nobody can be lent it', async () => {
    const server = `cache 127.0.0.1 ${redis.port}`;
    const count = (state: string) => `${server} ${state}`;
    const lease = await cache().acquire();
    await expect(sdk.values(METRIC_DB_CLIENT_CONNECTION_COUNT)).resolves.toEqual({
      [count(DB_CLIENT_CONNECTION_STATE_VALUE_IDLE)]: 1,
      [count(DB_CLIENT_CONNECTION_STATE_VALUE_USED)]: 2,
    });
    await lease.release();
    await expect(sdk.values(METRIC_DB_CLIENT_CONNECTION_COUNT)).resolves.toEqual({
      [count(DB_CLIENT_CONNECTION_STATE_VALUE_IDLE)]: 2,
      [count(DB_CLIENT_CONNECTION_STATE_VALUE_USED)]: 1,
    });
    await expect(sdk.values(METRIC_DB_CLIENT_CONNECTION_LIMIT)).resolves.toEqual({ [server]: 5 });
    await expect(sdk.values(METRIC_DB_CLIENT_CONNECTION_IDLE_MAX)).resolves.toEqual({ [server]: 4 });
    await expect(sdk.values(METRIC_DB_CLIENT_CONNECTION_IDLE_MIN)).resolves.toEqual({ [server]: 2 });
  });

  it('time every connection, from the first one on, and every lease', async () => {
    const [created] = await sdk.histogram(METRIC_DB_CLIENT_CONNECTION_CREATE_TIME);
    const [waited] = await sdk.histogram(METRIC_DB_CLIENT_CONNECTION_WAIT_TIME);
    const [used] = await sdk.histogram(METRIC_DB_CLIENT_CONNECTION_USE_TIME);
    expect([created, waited, used].map((point) => point?.value.count)).toEqual([3, 1, 1]);
    expect(created?.value.sum).toBeGreaterThan(0);
    expect(created?.value.sum).toBeLessThan(60);
    expect(used?.value.buckets.boundaries[0]).toBe(0.0001);
  });

  it('tell that callers wait, and that they gave up', async () => {
    const leases = await Promise.all(Array.from({ length: 4 }, () => cache().acquire()));
    const late = cache().acquire({ timeoutMs: 20 });
    const server = `cache 127.0.0.1 ${redis.port}`;
    const pending = sdk.values(METRIC_DB_CLIENT_CONNECTION_PENDING_REQUESTS);
    await expect(late).rejects.toThrow();
    await expect(pending).resolves.toEqual({ [server]: 1 });
    await expect(sdk.values(METRIC_DB_CLIENT_CONNECTION_TIMEOUTS)).resolves.toEqual({ [server]: 1 });
    await Promise.all(leases.map((lease) => lease.release()));
  });

  it('tell how long compressing took, of what, and why it failed', async () => {
    await expect(archive().decompress(Buffer.from('no gzip'))).rejects.toThrow();
    const durations = await sdk.histogram('nestjs.pool.compression.duration');
    const counts = durations.map(({ attributes, value }) => [
      attributes['nestjs.pool.compression.direction'],
      attributes[ATTR_ERROR_TYPE],
      value.count,
    ]);
    expect(counts).toEqual([
      ['compress', undefined, 1],
      ['decompress', undefined, 1],
      ['decompress', expect.stringMatching(/^ERR_/), 1],
    ]);
    const sizes = await sdk.histogram('nestjs.pool.compression.input.size');
    expect(sizes[0]?.value).toMatchObject({ count: 1, sum: 1_024 });
    await expect(sdk.values('nestjs.pool.compression.context.count')).resolves.toMatchObject({
      'archive gzip used': 0,
    });
  });

  it('are what a scrape of the Prometheus exporter of OpenTelemetry shows', async () => {
    const server = createServer((request, response) =>
      sdk.scraped.getMetricsRequestHandler(request, response),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    for (const [name, kind] of CONVENTION) {
      const type = kind === HISTOGRAM ? 'histogram' : kind === UP ? 'counter' : 'gauge';
      const scraped = name.replaceAll('.', '_') + (kind === UP ? '_total' : '');
      expect(text).toContain(`# TYPE ${scraped} ${type}\n`);
    }
    expect(text).toMatch(
      /^db_client_connection_count\{db_client_connection_pool_name="cache",.*state="idle".*\} 2$/m,
    );
  });

  it('are in the registry of prom-client under the names for Prometheus, with base units', async () => {
    const text = await registry.metrics();
    const types = CONVENTION.map((each) => {
      const type = each[1] === HISTOGRAM ? 'histogram' : each[1] === UP ? 'counter' : 'gauge';
      return `${prometheusName(each)} ${type}`;
    });
    expect([...text.matchAll(/^# TYPE (.*)$/gm)].map(([, type]) => type).sort()).toEqual(types.sort());
    const labels = `db_client_connection_pool_name="cache",server_address="127.0.0.1",server_port="${redis.port}"`;
    expect(text).toContain(`db_client_connection_count{${labels},db_client_connection_state="idle"} 2\n`);
    expect(text).toContain(`db_client_connection_timeouts_total{${labels}} 0\n`);
    expect(text).toContain(`db_client_connection_wait_time_seconds_count{${labels}} 1\n`);
    expect(text).toContain(
      'nestjs_pool_compression_input_size_bytes_sum{nestjs_pool_name="archive",nestjs_pool_compression_algorithm="gzip",nestjs_pool_compression_direction="compress"} 1024\n',
    );
    expect(await registry.metrics()).toBe(text); // reading adds nothing
  });

  it('show no secret and no key', async () => {
    await cache().commands.set('the-key', 'the-value');
    await cache().use((connection) => connection.get('the-key'));
    expect(await registry.metrics()).not.toMatch(/the-key|the-value/);
  });

  it('are gone when it has shut down', async () => {
    await sdk.read();
    await app.close();
    for (let times = 0; times < 2; times += 1) {
      const counts = await sdk.values(METRIC_DB_CLIENT_CONNECTION_COUNT);
      expect(Object.values(counts)).toEqual([0, 0]);
      const contexts = await sdk.values('nestjs.pool.compression.context.max');
      expect(Object.values(contexts)).toEqual([0]);
    }
    await expect(registry.metrics()).resolves.toBe('\n');
  });
});

describe('The metrics', () => {
  let sdk: Sdk;
  const apps: INestApplicationContext[] = [];

  const started = async (...imports: DynamicModule[]) => {
    apps.push(await start(...imports));
    return apps.at(-1)!;
  };
  const max = () => sdk.values(METRIC_DB_CLIENT_CONNECTION_LIMIT);
  const toSdk = () => PoolMetricsModule.forRoot({ meterProvider: sdk.provider });

  beforeEach(() => {
    sdk = new Sdk();
  });

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await sdk.provider.shutdown();
    globalMetrics.disable();
  });

  it('go to the global meter provider by default', async () => {
    globalMetrics.setGlobalMeterProvider(sdk.provider);
    await started(PoolMetricsModule.forRoot(), PoolModule.forRoot(onePool('one')));
    await expect(max()).resolves.toEqual({ one: 4 });
  });

  it('cover pools of forFeature, however late their module is, and those of a custom kind', async () => {
    await started(
      PoolModule.forRoot(onePool('one')),
      PoolMetricsModule.forRootAsync({
        useFactory: async () => Promise.resolve({ meterProvider: sdk.provider }),
      }),
      PoolModule.forFeature(onePool('two')),
    );
    await expect(max()).resolves.toEqual({ one: 4, two: 4 });
  });

  it('leave out a pool that was drained', async () => {
    const app = await started(
      toSdk(),
      PoolModule.forRoot(onePool('one')),
      PoolModule.forFeature(onePool('two')),
    );
    await expect(max()).resolves.toEqual({ one: 4, two: 4 });
    await app.get(PoolRegistry, { strict: false }).get('one').drain();
    await expect(max()).resolves.toEqual({ one: 0, two: 4 }); // the SDK would go on showing 4
  });

  it('count once where the module is imported twice', async () => {
    const registry = new Registry();
    const both = () => PoolMetricsModule.forRoot({ meterProvider: sdk.provider, prometheus: registry });
    const app = await started(both(), PoolModule.forRoot(onePool('one')), both());
    await app
      .get(PoolRegistry, { strict: false })
      .get('one')
      .use(() => undefined);
    const [used] = await sdk.histogram(METRIC_DB_CLIENT_CONNECTION_USE_TIME);
    expect(used?.value.count).toBe(1);
    await expect(max()).resolves.toEqual({ one: 4 });
    await expect(registry.metrics()).resolves.toContain(
      'db_client_connection_use_time_seconds_count{db_client_connection_pool_name="one"} 1',
    );
  });

  it('of two applications in one process stand side by side, those of equal names added up, and go one by one', async () => {
    const registry = new Registry();
    const both = () => PoolMetricsModule.forRoot({ meterProvider: sdk.provider, prometheus: registry });
    const first = await started(
      both(),
      PoolModule.forRoot(onePool('same')),
      PoolModule.forFeature(onePool('one')),
    );
    await started(both(), PoolModule.forRoot(onePool('same')), PoolModule.forFeature(onePool('two')));
    await expect(max()).resolves.toEqual({ same: 8, one: 4, two: 4 });
    await expect(registry.metrics()).resolves.toContain(
      'db_client_connection_limit{db_client_connection_pool_name="same"} 8',
    );
    await first.close();
    await expect(max()).resolves.toEqual({ same: 4, one: 0, two: 4 });
    await expect(registry.metrics()).resolves.not.toContain('"one"');
    await started(both(), PoolModule.forRoot(onePool('one')));
    await expect(max()).resolves.toEqual({ same: 4, two: 4, one: 4 });
  });

  it('of two applications with two providers do not meet', async () => {
    const other = new Sdk();
    await started(toSdk(), PoolModule.forRoot(onePool('one')));
    const second = await started(
      PoolMetricsModule.forRoot({ meterProvider: other.provider }),
      PoolModule.forRoot(onePool('two')),
    );
    await expect(max()).resolves.toEqual({ one: 4 });
    await expect(other.values(METRIC_DB_CLIENT_CONNECTION_LIMIT)).resolves.toEqual({ two: 4 });
    await second.close();
    await other.provider.shutdown();
  });

  it('name every problem of the options when the application starts, and leave no pool open', async () => {
    const wrong = { meterProvider: {}, promtheus: new Registry() };
    const opened = new Set<object>();
    const factory: ResourceFactory<object> = {
      create: () => {
        const thing = {};
        opened.add(thing);
        return Promise.resolve(thing);
      },
      destroy: (thing) => Promise.resolve(void opened.delete(thing)),
    };
    const starting = start(
      PoolModule.forRoot({ pools: { one: { type: 'custom', factory, min: 1 } } }),
      PoolMetricsModule.forRoot(wrong as object),
    );
    await expect(starting).rejects.toThrow(
      /meterProvider must be a MeterProvider.*unknown option "promtheus"/s,
    );
    await eventually('every pool is closed', () => opened.size === 0);
  });

  it('are given up for a pool whose names others have taken, and the application runs all the same', async () => {
    const prometheus = new Registry();
    new Gauge({ name: 'db_client_connection_max', help: 'not ours', registers: [prometheus] });
    const app = await started(PoolModule.forRoot(onePool('one')), PoolMetricsModule.forRoot({ prometheus }));
    const pool = app.get(PoolRegistry, { strict: false }).get('one');
    await expect(pool.use(() => 'works')).resolves.toBe('works');
    expect(prometheus.getMetricsAsArray().map(({ name }) => name)).toEqual(['db_client_connection_max']);
  });
});
