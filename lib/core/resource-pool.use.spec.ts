import { describe, expect, it, jest } from '@jest/globals';
import { FakeFactory, type FakeResource } from '../../test/support/fake-factory.js';
import { advance, failureOf, sleep, useFakeTime, watch } from '../../test/support/fake-time.js';
import type { Lease } from './lease.js';
import { LeaseBrokenError, PoolError } from './pool.errors.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

const BACK = { leased: 0, idle: 1, destroyed: 0 };

function aPool() {
  const factory = new FakeFactory();
  return { factory, pool: new ResourcePool('p', factory, { max: 1 }) };
}

describe('use()', () => {
  it('gives the task the resource and its lease, and the caller what the task returns', async () => {
    const { pool, factory } = aPool();
    const task = jest.fn((resource: FakeResource, lease: Lease<FakeResource>) => {
      expect(lease.resource).toBe(resource);
      return 'done';
    });
    await expect(pool.use(task)).resolves.toBe('done');
    expect(task.mock.calls[0]?.[0]).toBe(factory.created[0]);
    expect(pool.stats()).toMatchObject(BACK);
  });

  it('keeps the resource until a promise of the task settles', async () => {
    const { pool } = aPool();
    const result = pool.use(() => sleep(50).then(() => 'done'));
    await advance(49);
    expect(pool.stats()).toMatchObject({ leased: 1 });
    await advance(1);
    expect(pool.stats()).toMatchObject(BACK);
    await expect(result).resolves.toBe('done');
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('boom'))],
    [
      'throws synchronously',
      () => {
        throw new Error('boom');
      },
    ],
  ])('gives the resource back unharmed when the task %s', async (_how, task: () => Promise<void>) => {
    const { pool } = aPool();
    await expect(pool.use(task)).rejects.toThrow('boom');
    expect(pool.stats()).toMatchObject(BACK);
  });

  it('leaves it to the task to give the resource back early, or as unfit', async () => {
    const { pool } = aPool();
    await pool.use((_, lease) => lease.release());
    expect(pool.stats()).toMatchObject(BACK);
    await pool.use((_, lease) => lease.destroy());
    expect(pool.stats()).toMatchObject({ size: 0, destroyed: 1 });
  });

  it('does not start the task of a caller who gave up waiting', async () => {
    const { pool } = aPool();
    const holder = await pool.acquire();
    const task = jest.fn();
    const client = new AbortController();
    const failure = failureOf(pool.use(task, { signal: client.signal }));
    client.abort(new Error('the client went away'));
    expect(await failure).toBe(client.signal.reason);
    await holder.release();
    await advance(0);
    expect(task).not.toHaveBeenCalled();
    expect(pool.stats()).toMatchObject(BACK);
  });

  it('does not start the task of a caller who gave up in the moment of being served', async () => {
    const { pool } = aPool();
    const holder = await pool.acquire();
    const task = jest.fn();
    const client = new AbortController();
    const failure = failureOf(pool.use(task, { signal: client.signal }));
    void holder.release();
    client.abort(new Error('the client went away'));
    await advance(0);
    expect(await failure).toBe(client.signal.reason);
    expect(task).not.toHaveBeenCalled();
    expect(pool.stats()).toMatchObject(BACK);
  });

  it('keeps the resource of a task that stops when its signal aborts', async () => {
    const { pool } = aPool();
    const client = new AbortController();
    const { signal } = client;
    const stopping = () =>
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    const failure = failureOf(pool.use(stopping, { signal }));
    await advance(10);
    client.abort(new Error('the client went away'));
    await advance(10);
    expect(await failure).toBe(signal.reason);
    expect(pool.stats()).toMatchObject(BACK);
  });

  it('takes the resource away from a task that goes on after its signal aborts, and closes it', async () => {
    const { pool, factory } = aPool();
    const client = new AbortController();
    let lateLook: unknown;
    const goingOn = async (_: FakeResource, lease: Lease<FakeResource>) => {
      await sleep(1_000);
      lateLook = await failureOf(Promise.resolve().then(() => lease.resource));
    };
    const outcome = watch(pool.use(goingOn, { signal: client.signal }));
    await advance(10);
    client.abort(new Error('the client went away'));
    await advance(1);
    expect(outcome.reason).toBe(client.signal.reason);
    expect(factory.destroyed).toEqual(factory.created);
    await advance(1_000);
    expect(lateLook).toBeInstanceOf(PoolError);
    expect(pool.stats()).toMatchObject({ size: 0, destroyed: 1 });
  });

  it('lets the task finish when its signal aborts after the task did', async () => {
    const { pool } = aPool();
    const client = new AbortController();
    await expect(pool.use(() => 'done', { signal: client.signal })).resolves.toBe('done');
    client.abort();
    await advance(10);
    expect(pool.stats()).toMatchObject(BACK);
  });

  it('says that the resource was lost when the task failed of it', async () => {
    const { pool, factory } = aPool();
    const cause = new Error('socket closed');
    const failure = await failureOf(
      pool.use((resource) => {
        factory.lose(resource, cause);
        throw new Error('write after end');
      }),
    );
    expect(failure).toBeInstanceOf(LeaseBrokenError);
    expect(failure).toMatchObject({ cause });
  });

  it('gives the caller what a task returned that did without the lost resource', async () => {
    const { pool, factory } = aPool();
    const task = (resource: FakeResource) => {
      factory.lose(resource);
      return 'done';
    };
    await expect(pool.use(task)).resolves.toBe('done');
    expect(pool.stats()).toMatchObject({ leased: 0 });
  });
});

describe('a resource that can be interrupted', () => {
  /** Its task waits for something that only an interruption, or the test, ends. */
  function aWaitingTask() {
    const factory = new FakeFactory();
    let end!: { with: (value: string) => void; by: (reason: unknown) => void };
    const awaited = new Promise<string>((resolve, reject) => (end = { with: resolve, by: reject }));
    const interrupt = jest.fn<(resource: FakeResource, reason: unknown) => Promise<void>>();
    const pool = new ResourcePool<FakeResource>('p', Object.assign(factory, { interrupt }), {
      max: 1,
      destroyTimeoutMs: 100,
    });
    const client = new AbortController();
    const outcome = watch(pool.use(() => awaited, { signal: client.signal }));
    return { pool, factory, interrupt, end, client, outcome };
  }

  it('is interrupted when the signal aborts, and survives with its task', async () => {
    const { pool, interrupt, end, client, outcome } = aWaitingTask();
    interrupt.mockImplementation((_, reason) => sleep(20).then(() => end.by(reason)));
    await advance(10);
    client.abort(new Error('the client went away'));
    await advance(30);
    expect(interrupt).toHaveBeenCalledWith(expect.objectContaining({ id: 1 }), client.signal.reason);
    expect(outcome.reason).toBe(client.signal.reason);
    expect(pool.stats()).toMatchObject(BACK);
  });

  it('loses nothing that came in the moment of interrupting it', async () => {
    const { pool, interrupt, end, client, outcome } = aWaitingTask();
    interrupt.mockImplementation(() => sleep(20).then(() => end.with('just in time')));
    await advance(10);
    client.abort(new Error('the client went away'));
    await advance(30);
    expect(outcome).toMatchObject({ value: 'just in time' });
    expect(pool.stats()).toMatchObject(BACK);
  });

  it.each([
    ['hangs', () => new Promise<void>(() => undefined), 110],
    ['fails', () => Promise.reject(new Error('no permission')), 10],
    [
      'throws',
      () => {
        throw new Error('no permission');
      },
      10,
    ],
    ['does not help', () => Promise.resolve(), 10],
  ])('is taken away when interrupting it %s', async (_how, interruption, afterMs) => {
    const { pool, factory, interrupt, client, outcome } = aWaitingTask();
    interrupt.mockImplementation(interruption);
    await advance(10);
    client.abort(new Error('the client went away'));
    await advance(afterMs);
    expect(outcome.reason).toBe(client.signal.reason);
    expect(factory.destroyed).toEqual(factory.created);
    expect(pool.stats()).toMatchObject({ size: 0 });
  });

  it('is lent to nobody else while it is being interrupted, though its task has ended', async () => {
    const { pool, interrupt, end, client } = aWaitingTask();
    interrupt.mockImplementation(() => sleep(20));
    await advance(10);
    client.abort();
    end.with('by itself');
    const next = watch(pool.acquire());
    await advance(19);
    expect(next.state).toBe('pending');
    await advance(1);
    expect(next.value?.resource).toMatchObject({ id: 1 });
  });

  it('is closed when that does not end, for it might end what the next holder waits for', async () => {
    const { pool, interrupt, end, client, factory } = aWaitingTask();
    interrupt.mockImplementation(() => new Promise(() => undefined));
    await advance(10);
    client.abort();
    end.with('by itself');
    const next = watch(pool.acquire());
    await advance(100);
    expect(factory.destroyed).toEqual([{ id: 1 }]);
    expect(next.value?.resource).toMatchObject({ id: 2 });
  });

  it('is lent during a drain to who waited before that', async () => {
    const { pool, interrupt, end, client, factory } = aWaitingTask();
    interrupt.mockImplementation(() => sleep(20));
    await advance(10);
    client.abort();
    end.with('by itself');
    const next = watch(pool.use(({ id }) => id));
    const drained = watch(pool.drain());
    await advance(100);
    expect(next.value).toBe(1);
    expect(drained.value).toMatchObject({ clean: true, served: 1, closed: 1 });
    expect(factory.destroyed).toEqual(factory.created);
  });

  it('does not hold up a drain', async () => {
    const { pool, interrupt, end, client } = aWaitingTask();
    interrupt.mockImplementation(() => new Promise(() => undefined));
    await advance(10);
    client.abort();
    end.with('by itself');
    await advance(10);
    const drained = watch(pool.drain());
    await advance(100);
    expect(drained.value).toMatchObject({ clean: true, closed: 1 });
  });
});
