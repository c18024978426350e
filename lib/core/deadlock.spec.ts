import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { advance, failureOf, useFakeTime } from '../../test/support/fake-time.js';
import { PoolDeadlockError, PoolTimeoutError } from './pool.errors.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

const aPool = (name: string, options: PoolOptions) => new ResourcePool(name, new FakeFactory(), options);

/** Keeps a task busy until it is let go. */
function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('a task that asks again inside its own lease', () => {
  it.each(['use', 'acquire'] as const)('is refused at once when all are leased (%s)', async (how) => {
    const pool = aPool('p', { max: 1 });
    const failure = await pool.use(() => failureOf(how === 'use' ? pool.use(() => 'never') : pool.acquire()));
    expect(failure).toBeInstanceOf(PoolDeadlockError);
    expect(failure).toMatchObject({ code: 'ERR_POOL_DEADLOCK', pool: 'p', heldPool: 'p' });
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1, waiting: 0 });
  });

  it('is refused deep inside what it calls', async () => {
    const pool = aPool('p', { max: 1 });
    const deep = async () => {
      await Promise.resolve();
      return pool.use(() => 'never');
    };
    await expect(pool.use(async () => [await deep()])).rejects.toThrow(PoolDeadlockError);
  });

  it('hears both places: its own stack, and where the resource was acquired if that is recorded', async () => {
    const pool = aPool('p', { max: 1, leakThresholdMs: 60_000 });
    const failure = (await pool.use(function asksAgain() {
      return failureOf(pool.acquire());
    })) as PoolDeadlockError;
    expect(failure.stack).toContain('asksAgain');
    expect(failure.holder).toMatchObject({
      heldMs: expect.any(Number),
      acquiredAt: expect.stringContaining('deadlock.spec'),
    });
  });

  it('waits until its deadline where nobody is to detect it', async () => {
    const pool = aPool('p', { max: 1, acquireTimeoutMs: 100, detectDeadlocks: false });
    const failure = pool.use(() => failureOf(pool.acquire()));
    await advance(100);
    expect(await failure).toBeInstanceOf(PoolTimeoutError);
  });

  it('is served as long as there is one for it', async () => {
    const pool = aPool('p', { max: 2 });
    await expect(pool.use(() => pool.use(() => 'inner'))).resolves.toBe('inner');
    await expect(pool.use(() => pool.use(() => pool.use(() => 'never')))).rejects.toThrow(PoolDeadlockError);
  });

  it('may ask again after it gave its resource back', async () => {
    const pool = aPool('p', { max: 1 });
    const inner = pool.use(async (_resource, lease) => {
      await lease.release();
      return pool.use(() => 'served');
    });
    await expect(inner).resolves.toBe('served');
  });

  it('does not make strangers suspicious: they wait as ever', async () => {
    const pool = aPool('p', { max: 1 });
    const { opened, open } = gate();
    const busy = pool.use(() => opened);
    const stranger = pool.use(() => 'served');
    await advance(0);
    open();
    await busy;
    await expect(stranger).resolves.toBe('served');
    const late = failureOf(pool.use(() => new Promise(() => undefined), { timeoutMs: 10 }));
    await advance(0);
    const tooLate = failureOf(pool.acquire({ timeoutMs: 10 }));
    await advance(10);
    expect(await tooLate).toBeInstanceOf(PoolTimeoutError);
    void late;
  });

  it('leaves the async context of the task alone', async () => {
    const pool = aPool('p', { max: 1 });
    const store = new AsyncLocalStorage<string>();
    const seen = store.run('mine', () => pool.use(() => Promise.resolve().then(() => store.getStore())));
    await expect(seen).resolves.toBe('mine');
    expect(store.getStore()).toBeUndefined();
  });
});

describe('tasks that wait for each other across pools', () => {
  it('are found: the one that would close the circle is refused, and the other goes on', async () => {
    const [a, b] = [aPool('a', { max: 1 }), aPool('b', { max: 1 })];
    const { opened, open } = gate();
    const one = a.use(async () => {
      await opened;
      return b.use(() => 'one');
    });
    const other = b.use(async () => {
      await opened;
      await advance(0);
      return a.use(() => 'other');
    });
    const failure = failureOf(other);
    await advance(0);
    open();
    await advance(0);
    expect(await failure).toMatchObject({ code: 'ERR_POOL_DEADLOCK', pool: 'a', heldPool: 'b' });
    await expect(one).resolves.toBe('one');
  });

  it('are left alone while somebody else may give back what they wait for', async () => {
    const [a, b] = [aPool('a', { max: 1 }), aPool('b', { max: 2 })];
    const { opened, open } = gate();
    const stranger = b.use(() => opened);
    const one = a.use(async () => {
      await advance(0);
      return b.use(() => 'one');
    });
    const other = b.use(async () => {
      await advance(0);
      return a.use(() => 'other');
    });
    await advance(0);
    open();
    await expect(Promise.all([stranger, one, other])).resolves.toEqual([undefined, 'one', 'other']);
  });

  it('are found in a circle of three', async () => {
    const pools = ['a', 'b', 'c'].map((name) => aPool(name, { max: 1 }));
    const { opened, open } = gate();
    const outcomes = pools.map((pool, at) =>
      pool
        .use(async () => {
          await opened;
          for (let turn = 0; turn < at; turn += 1) await advance(0);
          return pools[(at + 1) % pools.length]!.use(() => pool.name);
        })
        .catch((error: unknown) => error),
    );
    await advance(0);
    open();
    await advance(0);
    const settled = await Promise.all(outcomes);
    expect(settled.filter((outcome) => outcome instanceof PoolDeadlockError)).toHaveLength(1);
    expect(settled.filter((outcome) => typeof outcome === 'string')).toHaveLength(2);
  });
});
