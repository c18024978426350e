import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { Test, type TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import {
  getPoolToken,
  PoolModule,
  PoolRegistry,
  type AnyPoolOptions,
  type RedisPool,
  type ResourceFactory,
} from 'nestjs-pool';
import { PoolHealthIndicator, PoolHealthModule } from 'nestjs-pool/health';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';
import { eventually } from '../support/eventually.js';
import { useFaultProxy } from '../support/fault-proxy.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { useRedisServer } from '../support/redis-server.js';

jest.setTimeout(60_000);

const TIMEOUT_MS = 600;

/** Whatever a server or a factory might let slip. */
const SECRET = 'hush-hush';

const unreachable: ResourceFactory<object> = {
  create: () => Promise.reject(new Error(`connect db://app:${SECRET}@host: ECONNREFUSED`)),
  destroy: () => Promise.resolve(),
};

type Check = (pools: PoolHealthIndicator) => ReturnType<PoolHealthIndicator['checkAll']>;

let app: TestingModule;

async function open(pools: Record<string, AnyPoolOptions>): Promise<void> {
  app = await Test.createTestingModule({
    imports: [
      PoolModule.forRoot({ pools, shutdown: { drainTimeoutMs: 500 } }),
      TerminusModule.forRoot({ logger: false, errorLogStyle: 'json' }),
      PoolHealthModule,
    ],
  })
    .setLogger(new RecordingLogger())
    .compile();
  await app.init();
}

/** What the endpoint would answer, and whether it would be 503. On Terminus 11 what is degraded is up, with a note. */
async function ask(check: Check): Promise<HealthCheckResult['details'][string] & { isDown: boolean }> {
  const health = app.get(HealthCheckService, { strict: false });
  const indicator = app.get(PoolHealthIndicator, { strict: false });
  try {
    const it = (await health.check([() => check(indicator)])).details.it!;
    return { ...it, ...(it.degraded === true && { status: 'degraded' }), isDown: false };
  } catch (error) {
    const { details } = (error as { getResponse(): HealthCheckResult }).getResponse();
    expect(JSON.stringify(details)).not.toContain(SECRET);
    return { ...details.it!, isDown: true };
  }
}

const ping: Check = (pools) => pools.pingCheck('it', { pool: 'cache', timeoutMs: TIMEOUT_MS });
const all: Check = (pools) => pools.checkAll('it', { timeoutMs: TIMEOUT_MS });
const ready: Check = (pools) => pools.readinessCheck('it', { timeoutMs: TIMEOUT_MS });
const live: Check = (pools) => pools.livenessCheck('it');
const breaker: Check = (pools) => pools.breakerCheck('it', { pool: 'cache' });
const replication: Check = (pools) => pools.replicationCheck('it', { pool: 'cache', timeoutMs: TIMEOUT_MS });

const cache = () => app.get<RedisPool>(getPoolToken('cache'), { strict: false });

afterEach(() => app.close());

describe('When Redis is killed', () => {
  let redis: RedisServer;

  beforeEach(async () => {
    redis = await startRedisServer({ password: SECRET });
    await open({
      cache: { type: 'redis', url: redis.url, max: 3 },
      zip: { type: 'compression', algorithm: 'gzip' },
    });
    await expect(ask(all)).resolves.toMatchObject({ status: 'up', pools: { cache: { role: 'primary' } } });
    redis.kill('SIGKILL');
    await redis.exited;
  });

  afterEach(() => redis.stop());

  it('all that ask it are down with the cause, liveness is not, and all are up again when it is back', async () => {
    for (const check of [ping, all, ready, replication]) {
      const found = await ask(check);
      expect(found).toMatchObject({ isDown: true, status: 'down' });
      expect(JSON.stringify(found)).toMatch(/ECONNREFUSED|closed/);
    }
    await expect(ask(live)).resolves.toMatchObject({ isDown: false, status: 'up' });
    redis = await startRedisServer({ password: SECRET, port: redis.port });
    await eventually('they are up', async () => {
      const found = await Promise.all([ping, all, ready, replication].map(ask));
      return found.every(({ status }) => status === 'up');
    });
  });

  it('readiness is only degraded where the application can do without', async () => {
    const found = await ask((pools) =>
      pools.readinessCheck('it', { timeoutMs: TIMEOUT_MS, optional: ['cache'] }),
    );
    expect(found).toMatchObject({
      isDown: false,
      status: 'degraded',
      pools: { cache: { status: 'degraded' }, zip: { status: 'up' } },
    });
    const misspelt = await ask((pools) => pools.readinessCheck('it', { optional: ['cash'] }));
    expect(misspelt).toMatchObject({
      isDown: true,
      message: expect.stringContaining('there is no such pool'),
    });
  });

  it('the breaker shows when leases were tried in vain', async () => {
    await expect(ask(breaker)).resolves.toMatchObject({ status: 'up', breaker: 'closed' });
    await expect(cache().acquire({ timeoutMs: 3_000 })).rejects.toThrow();
    await expect(ask(breaker)).resolves.toMatchObject({ isDown: true, breaker: 'open' });
  });
});

describe('When Redis is paused', () => {
  const redis = useRedisServer();

  it('no check takes longer than its deadline, and liveness does not care', async () => {
    await open({ cache: { type: 'redis', url: redis.url } });
    redis.kill('SIGSTOP');
    const found = await Promise.all([ping, all, ready, replication].map(ask));
    await expect(ask(live)).resolves.toMatchObject({ status: 'up' });
    redis.kill('SIGCONT');
    for (const each of found) expect(each).toMatchObject({ isDown: true });
    expect(found[0]).toMatchObject({ message: expect.stringContaining('no answer to PING within 600 ms') });
    await expect(ask(all)).resolves.toMatchObject({ status: 'up' });
  });
});

describe('When Redis is slow', () => {
  const proxy = useFaultProxy(useRedisServer());

  it('it is degraded from half the deadline on, or from where one says, and down beyond the deadline', async () => {
    await open({ cache: { type: 'redis', url: proxy.url } });
    await expect(ask(ping)).resolves.toMatchObject({ status: 'up' });
    proxy.delay(350, 'toClient');
    await expect(ask(ping)).resolves.toMatchObject({
      isDown: false,
      status: 'degraded',
      message: 'the answer took 300 ms or more',
    });
    await expect(
      ask((pools) => pools.pingCheck('it', { pool: 'cache', timeoutMs: 5_000, degradedAtMs: 4_000 })),
    ).resolves.toMatchObject({ status: 'up' });
    await expect(
      ask((pools) => pools.checkAll('it', { timeoutMs: 5_000, ping: { degradedAtMs: 20 } })),
    ).resolves.toMatchObject({ status: 'degraded', pools: { cache: { status: 'degraded' } } });
    await expect(
      ask((pools) => pools.pingCheck('it', { pool: 'cache', timeoutMs: 100 })),
    ).resolves.toMatchObject({ isDown: true });
  });
});

describe('An exhausted pool', () => {
  const redis = useRedisServer();

  it('is degraded by its demand and by its waits, down only where one says so, and its server is asked none the less', async () => {
    await open({ cache: { type: 'redis', url: redis.url, max: 2 } });
    const lease = await cache().acquire();
    const second = cache().acquire();
    await new Promise((resolve) => setTimeout(resolve, 60));
    await expect(ask(all)).resolves.toMatchObject({
      isDown: false,
      status: 'degraded',
      pools: { cache: { leased: 1, waiting: 1, responseTimeMs: expect.any(Number) } },
    });
    await lease.release();
    await (await second).release();
    await expect(ask(all)).resolves.toMatchObject({ status: 'up' });
    const waits = (limits: object) => ask((pools) => pools.waitCheck('it', { pool: 'cache', ...limits }));
    await expect(waits({})).resolves.toMatchObject({ status: 'up', waitP99Ms: expect.any(Number) });
    await expect(waits({ degradedAtMs: 40 })).resolves.toMatchObject({ isDown: false, status: 'degraded' });
    await expect(waits({ downAtMs: 40 })).resolves.toMatchObject({ isDown: true });
  });

  it('that has no connection to ask with is degraded, and not down', async () => {
    await open({ cache: { type: 'redis', url: redis.url, max: 1, shared: 0 } });
    const lease = await cache().acquire();
    for (const check of [ping, replication, all]) {
      const found = await ask(check);
      expect(found).toMatchObject({ isDown: false, status: 'degraded' });
      expect(JSON.stringify(found)).toMatch(/all 1 resources are leased|the event loop was blocked/);
    }
    await lease.release();
    await expect(ask(all)).resolves.toMatchObject({ status: 'up' });
  });

  it('takes no lease for any check, and sends one question at a time', async () => {
    await open({ cache: { type: 'redis', url: redis.url } });
    const { acquired } = cache().stats();
    await cache().commands.config('RESETSTAT');
    const cached: Check = (pools) => pools.readinessCheck('it', { cacheForMs: 60_000 });
    for (let round = 0; round < 3; round += 1)
      await Promise.all(Array.from({ length: 20 }, () => ask(cached)));
    const told = await cache().commands.info('commandstats');
    expect(told).toMatch(/cmdstat_ping:calls=[12],/);
    expect(told).toMatch(/cmdstat_info:calls=1,/);
    expect(cache().stats().acquired).toBe(acquired);
  });
});

describe('A pool that cannot open anything', () => {
  it('is down without showing what its factory lets slip', async () => {
    await open({ cache: { type: 'custom', factory: unreachable } });
    await expect(
      app.get(PoolRegistry, { strict: false }).get('cache').acquire({ timeoutMs: 3_000 }),
    ).rejects.toThrow();
    await expect(ask(breaker)).resolves.toMatchObject({ isDown: true });
    await expect(ask(all)).resolves.toMatchObject({ isDown: true, pools: { cache: { breaker: 'open' } } });
  });
});

describe('A pool that is drained', () => {
  const redis = useRedisServer();

  it('is down while it drains and after, and liveness is not', async () => {
    await open({ cache: { type: 'redis', url: redis.url } });
    const lease = await cache().acquire();
    const draining = cache().drain({ timeoutMs: 30_000 });
    for (const state of ['draining', 'closed']) {
      for (const check of [ping, breaker, replication, ready]) {
        const found = await ask(check);
        expect(found).toMatchObject({ isDown: true });
        expect(JSON.stringify(found)).toContain(`the pool is ${state}`);
      }
      await lease.release();
      await draining;
    }
    await expect(ask(live)).resolves.toMatchObject({ status: 'up' });
  });

  it('readiness turns down first at shutdown, whatever is cached or under way, and liveness does not', async () => {
    await open({ cache: { type: 'redis', url: redis.url } });
    const cached: Check = (pools) => pools.readinessCheck('it', { cacheForMs: 60_000 });
    await expect(ask(cached)).resolves.toMatchObject({ status: 'up' });
    const underWay = ask(ready);
    app.get(PoolRegistry, { strict: false }).beforeApplicationShutdown();
    for (const found of [await underWay, await ask(cached)])
      expect(found).toMatchObject({ isDown: true, message: 'the application is shutting down' });
    await expect(ask(live)).resolves.toMatchObject({ status: 'up' });
    await expect(cache().commands.set('open', 'requests')).resolves.toBe('OK');
  });
});

describe('A replica', () => {
  const replica = useRedisServer();
  let primary: RedisServer;

  beforeEach(async () => {
    primary = await startRedisServer({ args: ['--repl-diskless-sync-delay', '0'] });
    const admin = new Redis(replica.url);
    await admin.replicaof('127.0.0.1', primary.port);
    await eventually('it is in step', async () =>
      (await admin.info('replication')).includes('link_status:up'),
    );
    await admin.quit();
    await open({ cache: { type: 'redis', url: replica.url, connection: { readOnly: true } } });
  });

  afterEach(() => primary.stop());

  it('is up while it hears of its primary, and degraded when that is gone', async () => {
    await expect(ask(replication)).resolves.toMatchObject({
      status: 'up',
      role: 'replica',
      link: 'up',
      lagMs: expect.any(Number),
    });
    primary.kill('SIGKILL');
    await eventually('that shows', async () => (await ask(replication)).status === 'degraded');
    await expect(ask(replication)).resolves.toMatchObject({
      isDown: false,
      link: 'down',
      message: 'the replica has lost its primary',
    });
    await expect(ask(all)).resolves.toMatchObject({
      status: 'degraded',
      pools: { cache: { role: 'replica' } },
    });
    const strict: Check = (pools) =>
      pools.checkAll('it', { replication: { degradedAtMs: 1, downAtMs: 1_000 } });
    await eventually('it is down where one says so', async () => (await ask(strict)).isDown);
  });

  it('whose user may not ask is up', async () => {
    const admin = new Redis(replica.url);
    await admin.acl('SETUSER', 'shy', 'on', 'nopass', '~*', '+@all', '-info');
    await admin.quit();
    await app.close();
    await open({
      cache: {
        type: 'redis',
        url: replica.url,
        connection: { username: 'shy', password: 'x', readOnly: true, enableReadyCheck: false },
      },
    });
    await expect(ask(replication)).resolves.toMatchObject({ status: 'up', role: 'unknown' });
  });
});
