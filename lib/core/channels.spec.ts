import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { advance, failureOf, sleep, useFakeTime } from '../../test/support/fake-time.js';
import type { PoolChannels } from './channels.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

const STAGES = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

function aPool(options: PoolOptions = {}) {
  const factory = new FakeFactory();
  return { factory, pool: new ResourcePool('p', factory, options) };
}

/** What is published about one operation after the other, until the test ends. */
function trace(name: keyof PoolChannels): { stage: string; message: object }[] {
  const seen: { stage: string; message: object }[] = [];
  const handlers = Object.fromEntries(
    STAGES.map((stage) => [stage, (message: object) => void seen.push({ stage, message })]),
  ) as Record<(typeof STAGES)[number], (message: object) => void>;
  const traced = tracingChannel<unknown, object>(name);
  traced.subscribe(handlers);
  endings.push(() => traced.unsubscribe(handlers));
  return seen;
}

function listen(name: keyof PoolChannels): unknown[] {
  const seen: unknown[] = [];
  const note = (message: unknown) => void seen.push(message);
  channel(name).subscribe(note);
  endings.push(() => channel(name).unsubscribe(note));
  return seen;
}

const stages = (seen: readonly { stage: string }[]) => seen.map(({ stage }) => stage);

describe('nestjs-pool:acquire', () => {
  it('tells the course of every acquire, with one object from start to end, and shows no lease', async () => {
    const { pool } = aPool();
    const seen = trace('nestjs-pool:acquire');
    const lease = await pool.acquire({ priority: 'high' });
    expect(stages(seen)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(new Set(seen.map(({ message }) => message)).size).toBe(1);
    expect(seen[0]?.message).toEqual({ pool: 'p', priority: 'high' });
    await lease.release();
    await pool.use(() => undefined);
    expect(seen).toHaveLength(8);
    await pool.drain();
  });

  it('tells why it failed', async () => {
    const { pool } = aPool({ max: 1 });
    const lease = await pool.acquire();
    const seen = trace('nestjs-pool:acquire');
    const failure = failureOf(pool.acquire({ timeoutMs: 20 }));
    expect(stages(seen)).toEqual(['start', 'end']);
    await advance(20);
    const error = await failure;
    expect(stages(seen)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(seen.at(-1)?.message).toMatchObject({ error });
    await lease.release();
    await pool.drain();
  });

  it('tells those who listen to the end only', async () => {
    const { pool } = aPool();
    const asyncEnd = jest.fn();
    const traced = tracingChannel('nestjs-pool:acquire');
    traced.asyncEnd.subscribe(asyncEnd);
    endings.push(() => void traced.asyncEnd.unsubscribe(asyncEnd));
    await (await pool.acquire()).release();
    expect(asyncEnd).toHaveBeenCalledTimes(1);
    await pool.drain();
  });

  it('gives every caller a context of its own back, also when others serve it', async () => {
    const { pool } = aPool({ max: 1 });
    trace('nestjs-pool:acquire');
    const caller = new AsyncLocalStorage<number>();
    const visit = (id: number) =>
      caller.run(id, async () => {
        const lease = await pool.acquire();
        await sleep(5);
        await lease.release();
        return caller.getStore();
      });
    const visits = Promise.all([1, 2, 3].map(visit));
    await advance(50);
    await expect(visits).resolves.toEqual([1, 2, 3]);
    await pool.drain();
  });
});

describe('nestjs-pool:create', () => {
  it('binds a store inside create(), which is in the context of no caller', async () => {
    const { pool, factory } = aPool();
    const bound = new AsyncLocalStorage<string>();
    const caller = new AsyncLocalStorage<string>();
    const { start } = tracingChannel<string, object>('nestjs-pool:create');
    start.bindStore(bound, () => 'create');
    endings.push(() => void start.unbindStore(bound));
    const inside: unknown[] = [];
    factory.make = () => {
      inside.push(bound.getStore(), caller.getStore());
      return { id: 1 };
    };
    const after = await caller.run('a caller', async () => {
      await (await pool.acquire()).release();
      return [bound.getStore(), caller.getStore()];
    });
    expect(inside).toEqual(['create', undefined]);
    expect(after).toEqual([undefined, 'a caller']);
    await pool.drain();
  });

  it('tells why it failed, a time-out included', async () => {
    const { pool, factory } = aPool({ createTimeoutMs: 50 });
    const seen = trace('nestjs-pool:create');
    factory.creates.next(1, 'hangs');
    const lease = pool.acquire();
    await advance(50);
    expect(stages(seen)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(seen.at(-1)?.message).toMatchObject({
      pool: 'p',
      error: { message: expect.stringContaining('creating a resource took longer than 50 ms') as unknown },
    });
    await advance(1_000);
    await (await lease).release();
    await pool.drain();
  });
});

describe('The plain channels', () => {
  it('tell of leaks, closed resources and drains what events$ tells', async () => {
    const { pool } = aPool({ leakThresholdMs: 100 });
    const told = (['nestjs-pool:leak', 'nestjs-pool:evict', 'nestjs-pool:drain'] as const).map(listen);
    const lease = await pool.acquire();
    await advance(1_000);
    await lease.destroy('unfit');
    const report = await pool.drain();
    expect(told).toEqual([
      [expect.objectContaining({ pool: 'p', type: 'leaked', collected: false })],
      [{ pool: 'p', type: 'destroyed', reason: 'unfit' }],
      [{ pool: 'p', type: 'drained', report }],
    ]);
  });

  it('tell that the breaker opens and closes', async () => {
    const { pool, factory } = aPool();
    const told = listen('nestjs-pool:breaker');
    const cause = new Error('ECONNREFUSED');
    Object.assign(factory.creates, { manner: 'rejects', error: cause });
    const failure = failureOf(pool.acquire({ timeoutMs: 2_000 }));
    await advance(2_000);
    await failure;
    factory.creates.manner = 'works';
    await advance(60_000);
    expect(told).toEqual([
      { pool: 'p', type: 'breaker-opened', cause },
      { pool: 'p', type: 'breaker-closed' },
    ]);
    await pool.drain();
  });
});
