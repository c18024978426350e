import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { LeaseBrokenError } from '../../lib/core/pool.errors.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { Callers } from '../support/callers.js';
import { eventually } from '../support/eventually.js';
import { RedisSentinels } from '../support/redis-sentinel.js';

const FAILOVER_WITHIN_MS = 180_000;
const NAMES = Array.from({ length: 200 }, (_, at) => `caller-${at}`);

let sentinels: RedisSentinels;
let pool: RedisPool;

beforeAll(async () => {
  sentinels = await RedisSentinels.start();
}, FAILOVER_WITHIN_MS);

afterAll(() => sentinels.stop());

beforeEach(async () => {
  pool = new RedisPool('cache', {
    type: 'redis',
    max: 16,
    min: 2,
    connection: { sentinels: sentinels.addresses, name: sentinels.name },
  });
  await pool.start();
});

afterEach(async () => {
  await pool.drain();
  await eventually('no connection is left', async () => (await sentinels.clients()).length === 0);
}, FAILOVER_WITHIN_MS);

describe('A pool that finds its server through sentinels', () => {
  it('connects to the primary', async () => {
    const role = (info: string) => /role:(\w+)/.exec(info)?.[1];
    expect(role(await pool.commands.info('replication'))).toBe('master');
    expect(await pool.use(async (redis) => role(await redis.info('replication')))).toBe('master');
  });

  it('says so when it cannot reach any of them', async () => {
    const lost = new RedisPool('lost', {
      type: 'redis',
      connection: { sentinels: [{ host: '127.0.0.1', port: 1 }], name: sentinels.name },
    });
    await expect(lost.start({ timeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'ERR_POOL_UNAVAILABLE',
      message: expect.stringMatching(
        /no sentinel tells where the master is.*All sentinels are unreachable/,
      ) as unknown,
    });
    await lost.drain();
  });
});

describe('When the primary', () => {
  it(
    'is demoted, who holds a lease hears of it',
    async () => {
      const former = await sentinels.primary();
      const used = pool.use(async (redis) => {
        await sentinels.failOver();
        await redis.blpop('nothing', 0);
      });
      await expect(used).rejects.toThrow(LeaseBrokenError);
      await sentinels.promoted(former);
      await expect(pool.use((redis) => redis.set('key', 'value'))).resolves.toBe('OK');
      await sentinels.healed();
    },
    FAILOVER_WITHIN_MS,
  );

  it.each<[string, (callers: Callers) => Promise<void>]>([
    [
      'is killed',
      async () => {
        const former = await sentinels.primary();
        await former.kill();
        await sentinels.promoted(former);
        await former.restart();
      },
    ],
    [
      'changes places with its replica',
      async () => {
        const former = await sentinels.primary();
        await sentinels.failOver();
        await sentinels.promoted(former);
      },
    ],
  ])(
    '%s under the load of 200 callers, all are served again, and no write is lost that a replica had',
    async (what, change) => {
      const callers = new Callers(pool, NAMES);
      await callers.wellAfterMs();
      callers.mark();
      const startedAt = performance.now();
      await change(callers);
      const promotedMs = Math.round(performance.now() - startedAt);
      await sentinels.healed();
      const healthyMs = await callers.wellAfterMs();
      callers.mark();
      await callers.wellAfterMs();
      console.info(
        `the primary ${what}: promoted after ${promotedMs} ms, healthy after ${healthyMs} ms`,
        callers.rounds,
        callers.failures,
      );
      await callers.stop();

      expect(callers.lies).toEqual([]);
      expect(await callers.lost()).toEqual([]);
      await eventually('the pool is full again', () => pool.stats().shared === 1 && pool.stats().idle >= 2);
      expect(await pool.commands.info('replication')).toContain('role:master');
    },
    FAILOVER_WITHIN_MS,
  );
});
