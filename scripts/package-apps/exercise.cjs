// What an application does with the packed library, whichever way its modules were loaded: see check-package.mjs.
const assert = require('node:assert/strict');
const { examine } = require('./health-faults.cjs');

exports.exercise = async ({ common, core, library, load }, url, mode) => {
  const { Injectable, Module } = common;
  const { NestFactory } = core;
  const { InjectPool, PoolModule, PoolRegistry, RedisPool, CompressionPool } = library;

  class Store {
    constructor(cache, archive) {
      Object.assign(this, { cache, archive });
    }
  }
  Injectable()(Store);
  InjectPool('cache')(Store, undefined, 0);
  InjectPool('archive')(Store, undefined, 1);

  const pools = PoolModule.forRootAsync({
    pools: ['cache', 'archive'],
    useFactory: () => ({
      pools: { cache: { type: 'redis', url, max: 4 }, archive: { type: 'compression', algorithm: 'gzip' } },
    }),
  });

  class AppModule {}

  async function withoutOptionalPeers() {
    Module({ imports: [pools], providers: [Store] })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
    const { cache, archive } = app.get(Store);
    assert(cache instanceof RedisPool && archive instanceof CompressionPool);
    await cache.commands.set('greeting', await archive.compress('hello'));
    const stored = await cache.use((connection) => connection.getBuffer('greeting'));
    assert.equal((await archive.decompress(stored)).toString(), 'hello');
    await app.close();
    const left = app
      .get(PoolRegistry)
      .stats()
      .map(({ state, size }) => `${state} ${size}`);
    assert.deepEqual(left, ['closed 0', 'closed 0']);
    await assert.rejects(load('nestjs-pool/health'), /@nestjs\/terminus/);
    await assert.rejects(measured({}), /@opentelemetry\/api/);
  }

  /** Starts the application with its metrics, uses a pool, and shows it to `read`. */
  async function measured(options, read) {
    const { PoolMetricsModule } = await load('nestjs-pool/metrics');
    class MeasuredModule {}
    Module({ imports: [PoolMetricsModule.forRoot(options), pools] })(MeasuredModule);
    const app = await NestFactory.createApplicationContext(MeasuredModule, {
      logger: false,
      abortOnError: false,
    });
    await app.get(PoolRegistry, { strict: false }).get('archive').compress('hello');
    await read();
    await app.close();
  }

  async function withPromClient() {
    const client = await load('prom-client');
    const { Registry } = client.default ?? client;
    const prometheus = new Registry();
    await measured({ prometheus }, async () => {
      const text = await prometheus.metrics();
      assert.match(text, /^db_client_connection_max\{.*pool_name="cache".*\} 4$/m);
      assert.match(text, /^nestjs_pool_compression_duration_seconds_count\{.*\} 1$/m);
    });
    assert.equal(await prometheus.metrics(), '\n');
  }

  async function withOpenTelemetry() {
    const { metrics } = await load('@opentelemetry/api');
    const sdk = await load('@opentelemetry/sdk-metrics');
    const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
    const reader = new sdk.PeriodicExportingMetricReader({ exporter });
    metrics.setGlobalMeterProvider(new sdk.MeterProvider({ readers: [reader] }));
    await measured(undefined, async () => {
      await reader.forceFlush();
      const [{ scopeMetrics }] = exporter.getMetrics();
      const names = scopeMetrics.flatMap((scope) => scope.metrics.map(({ descriptor }) => descriptor.name));
      assert(
        names.includes('db.client.connection.max') && names.includes('nestjs.pool.compression.duration'),
      );
    });
    await reader.shutdown();
  }

  async function withTerminus() {
    const terminus = await load('@nestjs/terminus');
    const health = await load('nestjs-pool/health');
    Module({ imports: [pools, terminus.TerminusModule, health.PoolHealthModule] })(AppModule);
    const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
    await app.init();
    await examine({ get: (token) => app.get(token, { strict: false }), terminus, health, PoolRegistry });
    await app.close();
  }

  const exercises = {
    health: withTerminus,
    'prom-client': withPromClient,
    opentelemetry: withOpenTelemetry,
  };
  await (exercises[mode] ?? withoutOptionalPeers)();
  console.log('works');
};
