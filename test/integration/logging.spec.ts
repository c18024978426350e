import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import { Redis } from 'ioredis';
import { getPoolToken, PoolModule, type PoolModuleOptions, type RedisPool } from 'nestjs-pool';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';
import { eventually } from '../support/eventually.js';
import { RecordingLogger } from '../support/recording-logger.js';

jest.setTimeout(60_000);

const SECRET = 'hush-hush';

describe('The log of an application', () => {
  let redis: RedisServer;
  let app: INestApplicationContext;
  let logger: RecordingLogger;

  beforeEach(async () => {
    redis = await startRedisServer({ password: SECRET });
    logger = new RecordingLogger('PoolModule');
  });

  afterEach(async () => {
    await app.close();
    expect(logger.lines.join('\n')).not.toContain(SECRET);
    await redis.stop();
  });

  async function start(options: Partial<PoolModuleOptions> = {}): Promise<RedisPool> {
    const cache = {
      type: 'redis',
      url: redis.url,
      max: 4,
      acquireTimeoutMs: 400,
      commandTimeoutMs: 300,
    } as const;
    const module = PoolModule.forRoot({ pools: { cache }, shutdown: { drainTimeoutMs: 500 }, ...options });
    app = await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
    return app.get<RedisPool>(getPoolToken('cache'));
  }

  /** Callers who all fail, or wait in vain. */
  async function callers(pool: RedisPool, count = 30): Promise<void> {
    const commands = Array.from({ length: count }, (_, at) => pool.commands.get(`key-${at}`));
    const leases = Array.from({ length: count }, () => pool.use(() => undefined));
    await Promise.allSettled([...commands, ...leases]);
  }

  const trouble = () => logger.above('log');
  const recoveries = () => logger.of('log').filter((line) => line.includes('available again'));

  it('introduces each pool with where it is and how long it took, and ends with how it was drained', async () => {
    await start({
      pools: {
        cache: { type: 'redis', url: `${redis.url}/2`, min: 1, max: 4 },
        zip: { type: 'compression', algorithm: 'gzip', max: 2 },
      },
    });
    await app.close();
    const where = `127\\.0\\.0\\.1:${redis.port}/2`;
    expect(logger.above('debug').sort()).toEqual([
      expect.stringMatching(/^log Pool "cache" \(redis, .*; min 1, max 4\) started in \d+ ms$/),
      expect.stringMatching(/^log Pool "cache" drained in \d+ ms: served 0/),
      expect.stringMatching(/^log Pool "zip" \(compression, gzip; min 0, max 2\) started in \d+ ms$/),
      expect.stringMatching(/^log Pool "zip" drained in \d+ ms: served 0/),
    ]);
    expect(logger.lines.join()).toMatch(new RegExp(where));
  });

  it('has one line when the server is killed, however many callers fail, and one when it is back', async () => {
    const pool = await start();
    for (const round of [1, 2]) {
      redis.kill('SIGKILL');
      await redis.exited;
      await callers(pool);
      await eventually('the outage is told', () => trouble().length === round);
      await callers(pool);
      expect(recoveries()).toHaveLength(round - 1);
      redis = await startRedisServer({ password: SECRET, port: redis.port });
      await eventually('the pool works', async () => (await pool.commands.ping()) === 'PONG');
      await callers(pool);
      expect(trouble()).toHaveLength(round);
      expect(recoveries()).toHaveLength(round);
    }
    expect(trouble()[0]).toMatch(
      /^error Pool "cache" is unavailable: .*ECONNREFUSED.*; it is tried again and again$/,
    );
    expect(recoveries()[0]).toMatch(/^Pool "cache" is available again, after \d+\.\d s$/);
  });

  it('has one line when the server hangs, and one when it goes on', async () => {
    const pool = await start();
    redis.kill('SIGSTOP');
    await eventually('the outage is told', async () => {
      await callers(pool, 3);
      return trouble().length > 0;
    });
    await callers(pool, 3);
    redis.kill('SIGCONT');
    await eventually('the end is told', async () => {
      await callers(pool, 3);
      return recoveries().length > 0;
    });
    expect(trouble()).toHaveLength(1);
    expect(trouble()[0]).toContain('error Pool "cache" is unavailable: ');
    expect(recoveries()).toHaveLength(1);
  });

  it('has no line for a connection that is lost and back at once', async () => {
    const pool = await start();
    const before = logger.lines.length;
    const admin = new Redis(redis.url);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
    await admin.quit();
    await eventually('it is connected again', async () => (await pool.commands.ping()) === 'PONG');
    expect(logger.lines).toHaveLength(before);
  });

  it('warns once when the application starts without the server, and tells when it is there', async () => {
    const { port } = redis;
    await redis.stop();
    const pool = await start({ startup: 'warn', startupTimeoutMs: 200 });
    await callers(pool);
    expect(trouble()).toEqual([
      expect.stringMatching(
        /^warn Pool "cache" \(redis, .*\) could not be opened: .*ECONNREFUSED.*; going on without/,
      ),
    ]);
    redis = await startRedisServer({ password: SECRET, port });
    await eventually('that is told', () => recoveries().length === 1);
    expect(trouble()).toHaveLength(1);
  });

  it('says that a lazy pool opens on first use', async () => {
    await start({ startup: 'lazy' });
    expect(logger.lines).toEqual([expect.stringMatching(/^log Pool "cache" \(.*\) opens on first use$/)]);
  });

  it('has no end of an outage during which the application is shut down', async () => {
    const pool = await start();
    redis.kill('SIGKILL');
    await redis.exited;
    await callers(pool);
    await eventually('the outage is told', () => trouble().length === 1);
    await app.close();
    expect(trouble().filter((line) => line.startsWith('error'))).toHaveLength(1);
    expect(recoveries()).toEqual([]);
    expect(logger.lines.at(-1)).toContain('Pool "cache" drained in');
  });
});
