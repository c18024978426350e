import { describe, expect, it } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import { FakeFactory } from '../test/support/fake-factory.js';
import { advance, failureOf, useFakeTime } from '../test/support/fake-time.js';
import { RecordingLogger } from '../test/support/recording-logger.js';
import type { PoolOptions } from './core/pool.options.js';
import { ResourcePool } from './core/resource-pool.js';
import { PoolLog } from './pool.log.js';

useFakeTime();

function aLog(options: PoolOptions = {}) {
  const factory = new FakeFactory();
  const pool = new ResourcePool('p', factory, options);
  const logger = new RecordingLogger();
  return { factory, pool, logger, log: new PoolLog(pool, logger as unknown as Logger) };
}

describe('The log of a pool', () => {
  it('introduces it by how it started', () => {
    const { log, logger } = aLog({ min: 1, max: 4 });
    log.started('redis, localhost:6379', 12.4);
    log.startsLazily('custom');
    log.startedWithout('custom', new Error('connect db://app:hush@host: ECONNREFUSED'));
    expect(logger.lines).toEqual([
      'log Pool "p" (redis, localhost:6379; min 1, max 4) started in 12 ms',
      'log Pool "p" (custom; min 1, max 4) opens on first use',
      'warn Pool "p" (custom; min 1, max 4) could not be opened: connect db://***@host: ECONNREFUSED; going on without, it is tried again when it is needed',
    ]);
  });

  it('has one line for an outage, however many callers fail, and one for its end', async () => {
    const { pool, factory, logger } = aLog({ max: 4 });
    Object.assign(factory.creates, { manner: 'rejects', error: new Error('refused, password=hush') });
    const failures = Array.from({ length: 50 }, () => failureOf(pool.acquire({ timeoutMs: 5_000 })));
    await advance(10_000);
    await Promise.all(failures);
    factory.creates.manner = 'works';
    await advance(10_000);
    await failureOf(pool.use(() => undefined));
    expect(logger.above('debug')).toEqual([
      'error Pool "p" is unavailable: refused, password=***; it is tried again and again',
      expect.stringMatching(/^log Pool "p" is available again, after 1\d\.\d s$/),
    ]);
    expect(logger.of('debug')).toEqual([
      'Pool "p": the breaker is open, callers are refused at once',
      'Pool "p": the breaker is closed',
    ]);
  });

  it('has nothing to say of leases that come and go', async () => {
    const { pool, logger } = aLog();
    for (let times = 0; times < 10; times += 1) await pool.use(() => undefined);
    expect(logger.lines).toEqual([]);
  });

  it('warns of a leak with its place, and tells when it came back after all', async () => {
    const { pool, logger } = aLog({ leakThresholdMs: 1_000 });
    const lease = await pool.acquire();
    await advance(3_000);
    await lease.release();
    expect(logger.lines).toEqual([
      expect.stringMatching(
        /^warn Pool "p": a lease has been held for 1\.\d s \(leakThresholdMs\); acquired\n.*pool\.log\.spec/,
      ),
      expect.stringMatching(/^log Pool "p": a lease came back after 3\.0 s; acquired\n.*pool\.log\.spec/),
    ]);
  });

  it('tells what somebody did to it, and how the drain went', async () => {
    const { pool, logger } = aLog();
    pool.suspend();
    pool.resume();
    await pool.acquire();
    const draining = pool.drain({ timeoutMs: 20 });
    await advance(20);
    await draining;
    expect(logger.lines).toEqual([
      'log Pool "p" is suspended: callers wait',
      'log Pool "p" is open again',
      'debug Pool "p" is draining',
      'debug Pool "p" is closed',
      'warn Pool "p" drained in 20 ms: served 0, rejected 0, revoked 1, closed 1, failed to close 0\n' +
        '  a lease held for 20 ms was revoked (set leakThresholdMs to see who held it)',
    ]);
  });

  it('does not call it an outage that a pool is closed during one', async () => {
    const { pool, factory, logger } = aLog();
    factory.creates.manner = 'rejects';
    const failed = failureOf(pool.acquire());
    const draining = pool.drain({ timeoutMs: 8_000 });
    await advance(8_000);
    await draining;
    await failed;
    expect(logger.of('error')).toEqual([]);
  });
});
