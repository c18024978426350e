import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { getPoolToken, PoolModule, PoolRegistry, type RedisPool, type ResourceFactory } from 'nestjs-pool';
import { PoolHealthIndicator, PoolHealthModule } from 'nestjs-pool/health';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly pools: PoolHealthIndicator,
  ) {}

  @Get('ping')
  @HealthCheck()
  ping() {
    return this.health.check([() => this.pools.pingCheck('redis', { pool: 'cache', timeoutMs: 500 })]);
  }

  @Get('saturation')
  @HealthCheck()
  saturation() {
    return this.health.check([
      () => this.pools.saturationCheck('things', { pool: 'things', degradedAt: 0.5, downAt: 1.5 }),
    ]);
  }

  @Get('all')
  @HealthCheck()
  all() {
    return this.health.check([() => this.pools.checkAll('pools', { timeoutMs: 500 })]);
  }

  @Get('wrong')
  @HealthCheck()
  wrong() {
    return this.health.check([
      () => this.pools.pingCheck('nobody', { pool: 'nobody' }),
      () => this.pools.saturationCheck('limits', { pool: 'things', degradedAt: -1 }),
      () => this.pools.waitCheck('none', {} as never),
    ]);
  }
}

const things: ResourceFactory<object> = {
  create: () => Promise.resolve({}),
  destroy: () => Promise.resolve(),
};

interface Answer {
  status: number;
  body: { status: string; details: Record<string, Record<string, unknown>> };
}

describe('PoolHealthIndicator', () => {
  let redis: RedisServer;
  let app: INestApplication;

  beforeEach(async () => {
    redis = await startRedisServer({ password: 'hush-hush' });
    const testing = await Test.createTestingModule({
      imports: [
        PoolModule.forRoot({
          pools: {
            cache: { type: 'redis', url: redis.url, connection: { password: 'hush-hush' }, max: 3 },
            things: { type: 'custom', factory: things, max: 2 },
          },
        }),
        TerminusModule.forRoot({ logger: false }),
        PoolHealthModule,
      ],
      controllers: [HealthController],
    }).compile();
    app = testing.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
  });

  afterEach(async () => {
    await app.close();
    await redis.stop();
  });

  async function ask(path: string): Promise<Answer> {
    const response = await fetch(`${await app.getUrl()}/${path}`);
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }

  const pool = (name: string) => app.get(PoolRegistry, { strict: false }).get(name);

  it('says how fast the server answers, and takes no lease for that', async () => {
    const cache = app.get<RedisPool>(getPoolToken('cache'), { strict: false });
    const before = cache.stats().acquired;
    await expect(ask('ping')).resolves.toMatchObject({
      status: 200,
      body: { details: { redis: { status: 'up', state: 'open', responseTimeMs: expect.any(Number) } } },
    });
    expect(cache.stats().acquired).toBe(before);
  });

  it('is down while the server hangs, and up again after', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    const hanging = await ask('ping');
    process.kill(redis.pid, 'SIGCONT');
    expect(hanging).toMatchObject({ status: 503, body: { details: { redis: { status: 'down' } } } });
    expect(hanging.body.details.redis?.message).toMatch(/no answer to PING within 500 ms/);
    await expect(ask('ping')).resolves.toMatchObject({ status: 200 });
  });

  it('is down without the server, says why, and shows no secret', async () => {
    await redis.stop();
    for (const path of ['ping', 'all']) {
      const { status, body } = await ask(path);
      expect(status).toBe(503);
      expect(JSON.stringify(body)).toMatch(/ECONNREFUSED|closed/);
      expect(JSON.stringify(body)).not.toContain('hush-hush');
    }
  });

  it('tells degraded from down by the demand', async () => {
    await expect(ask('saturation')).resolves.toMatchObject({
      status: 200,
      body: { details: { things: { status: 'up' } } },
    });
    const leases = [await pool('things').acquire()];
    await expect(ask('saturation')).resolves.toMatchObject({
      status: 200,
      body: { details: { things: { status: 'degraded', leased: 1, max: 2, demand: 0.5 } } },
    });
    leases.push(await pool('things').acquire());
    const third = pool('things').acquire();
    await expect(ask('saturation')).resolves.toMatchObject({
      status: 503,
      body: { details: { things: { status: 'down', leased: 2, waiting: 1, demand: 1.5 } } },
    });
    for (const lease of leases) await lease.release();
    await (await third).release();
  });

  it('is degraded while a pool is suspended, and down when it is drained', async () => {
    pool('things').suspend();
    await expect(ask('all')).resolves.toMatchObject({
      status: 200,
      body: {
        status: 'degraded',
        details: { pools: { pools: { cache: { status: 'up' }, things: { status: 'degraded' } } } },
      },
    });
    await pool('things').drain();
    await expect(ask('all')).resolves.toMatchObject({
      status: 503,
      body: {
        details: {
          pools: { pools: { cache: { status: 'up' }, things: { status: 'down', state: 'closed' } } },
        },
      },
    });
  });

  it('is down from the moment the application begins to shut down', async () => {
    app.get(PoolRegistry, { strict: false }).beforeApplicationShutdown();
    for (const path of ['ping', 'saturation', 'all']) {
      const { status, body } = await ask(path);
      expect(status).toBe(503);
      expect(JSON.stringify(body)).toContain('the application is shutting down');
    }
  });

  it('is down, and does not throw, when it is asked for what is not there or with what makes no sense', async () => {
    const { status, body } = await ask('wrong');
    expect(status).toBe(503);
    expect(body.details.nobody?.message).toContain('there is no such pool; registered: "cache", "things"');
    expect(body.details.limits?.message).toContain('degradedAt must be a number greater than 0, got -1');
    expect(body.details.none?.message).toContain('pool must be a pool, or the name of one');
  });
});
