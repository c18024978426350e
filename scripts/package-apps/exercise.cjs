// What an application does with the packed library, whichever way its modules were loaded: see check-package.mjs.
const assert = require('node:assert/strict');

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

  async function withoutTerminus() {
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
  }

  async function withTerminus() {
    const { HealthCheckService, TerminusModule } = await load('@nestjs/terminus');
    const { PoolHealthIndicator, PoolHealthModule } = await load('nestjs-pool/health');
    Module({ imports: [pools, TerminusModule, PoolHealthModule] })(AppModule);
    const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
    await app.init();
    const get = (token) => app.get(token, { strict: false });
    const check = () =>
      get(HealthCheckService).check([
        () => get(PoolHealthIndicator).pingCheck('redis', { pool: 'cache', timeoutMs: 2_000 }),
        () => get(PoolHealthIndicator).saturationCheck('codecs', { pool: 'archive' }),
        () => get(PoolHealthIndicator).checkAll('pools'),
      ]);
    assert.equal((await check()).status, 'ok');

    const lease = await get(PoolRegistry).get('archive').acquire();
    get(PoolRegistry).get('archive').resize({ max: 1 });
    const busy = await check();
    const { codecs } = busy.details;
    // Terminus 11 has no `degraded`: the pool is up, with a note.
    assert(codecs.status === 'degraded' || (codecs.status === 'up' && codecs.degraded === true));
    await lease.release();

    await get(PoolRegistry).get('cache').drain();
    await assert.rejects(check(), ({ response }) => response.error.redis.status === 'down');
    await app.close();
  }

  await (mode === 'health' ? withTerminus() : withoutTerminus());
  console.log('works');
};
