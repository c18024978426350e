import { describe, expect, it } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { advance, useFakeTime, watch } from '../../test/support/fake-time.js';
import { LeaseBrokenError, LeaseReleasedError } from './pool.errors.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

function aPool(factory = new FakeFactory()) {
  return { factory, pool: new ResourcePool('p', factory, { max: 1 }) };
}

describe('a lease', () => {
  it('is dead once it was released: its resource cannot be reached any more', async () => {
    const { pool } = aPool();
    const lease = await pool.acquire();
    await lease.release();
    expect(() => lease.resource).toThrow(LeaseReleasedError);
    expect(() => lease.resource).toThrow('[pool "p"] this lease was released; acquire a new one');
  });

  it('does nothing when it is released again, even while somebody else holds the resource', async () => {
    const { pool } = aPool();
    const mine = await pool.acquire();
    await mine.release();
    const theirs = await pool.acquire();
    await mine.release();
    await mine.destroy();
    await mine[Symbol.asyncDispose]();
    expect(theirs.resource).toBeDefined();
    expect(pool.stats()).toMatchObject({ leased: 1, idle: 0, closing: 0 });
  });

  it('does nothing when it is released again while the resource is being reset', async () => {
    const { pool, factory } = aPool(new FakeFactory({ reset: true }));
    factory.resets.ms = 20;
    const lease = await pool.acquire();
    const released = watch(lease.release());
    await lease.release();
    await lease.destroy();
    await advance(20);
    expect(released.state).toBe('fulfilled');
    expect(factory.resets.calls).toBe(1);
    expect(pool.stats()).toMatchObject({ size: 1, idle: 1 });
  });

  it('is released when its resource is ready for the next holder', async () => {
    const { pool, factory } = aPool(new FakeFactory({ reset: true }));
    factory.resets.ms = 20;
    const lease = await pool.acquire();
    const released = watch(lease.release());
    expect(pool.stats()).toMatchObject({ leased: 0, creating: 1 });
    await advance(19);
    expect(released.state).toBe('pending');
    await advance(1);
    expect(released.state).toBe('fulfilled');
    expect(pool.stats()).toMatchObject({ idle: 1 });
  });

  it('closes a resource that cannot be reset, and never lends it again', async () => {
    const { pool, factory } = aPool(new FakeFactory({ reset: true }));
    for (const answer of ['discard', undefined, true, 'KEEP']) {
      factory.resets.answer = () => answer;
      const lease = await pool.acquire();
      const { resource } = lease;
      await lease.release();
      expect(factory.destroyed.at(-1)).toBe(resource);
    }
    expect(pool.stats()).toMatchObject({ size: 0, destroyed: 4 });
  });

  it.each(['throws', 'rejects', 'hangs'] as const)('closes a resource whose reset %s', async (manner) => {
    const { pool, factory } = aPool(new FakeFactory({ reset: true }));
    factory.resets.manner = manner;
    const lease = await pool.acquire();
    const released = watch(lease.release());
    await advance(10_000);
    expect(released.state).toBe('fulfilled');
    expect(pool.stats()).toMatchObject({ size: 0, destroyed: 1 });
  });

  it('that is destroyed closes the resource and resolves when it is closed', async () => {
    const { pool, factory } = aPool();
    factory.destroys.ms = 20;
    const lease = await pool.acquire();
    const destroyed = watch(lease.destroy('poisoned'));
    expect(() => lease.resource).toThrow(LeaseReleasedError);
    expect(pool.stats()).toMatchObject({ leased: 0, closing: 1, size: 1 });
    await advance(19);
    expect(destroyed.state).toBe('pending');
    await advance(1);
    expect(destroyed.state).toBe('fulfilled');
    expect(pool.stats()).toMatchObject({ size: 0 });
    expect(factory.live + factory.closing).toBe(0);
  });

  it('ends by itself at the end of an `await using` block', async () => {
    const { pool } = aPool();
    {
      await using lease = await pool.acquire();
      expect(lease.resource).toBeDefined();
      expect(pool.stats()).toMatchObject({ leased: 1 });
    }
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
  });

  it('says that it is broken as soon as its resource is lost', async () => {
    const { pool, factory } = aPool();
    const lease = await pool.acquire();
    const cause = new Error('ECONNRESET');
    factory.lose(lease.resource, cause);
    expect(() => lease.resource).toThrow(LeaseBrokenError);
    expect(() => lease.resource).toThrow(expect.objectContaining({ cause, code: 'ERR_POOL_LEASE_BROKEN' }));
    expect(() => lease.resource).toThrow('[pool "p"] the resource was lost while it was leased: ECONNRESET');
    await lease.release();
    await advance(0);
    expect(factory.destroyed).toHaveLength(1);
    expect(pool.stats()).toMatchObject({ size: 0, leased: 0 });
  });

  it('whose resource was lost makes room for the next caller', async () => {
    const { pool, factory } = aPool();
    const lease = await pool.acquire();
    const next = watch(pool.acquire());
    factory.lose(lease.resource);
    await advance(0);
    expect(next.state).toBe('fulfilled');
    expect(factory.created).toHaveLength(2);
  });

  it('hands on no resource that is lost while it is being reset', async () => {
    const { pool, factory } = aPool(new FakeFactory({ reset: true }));
    factory.resets.ms = 20;
    const lease = await pool.acquire();
    const { resource } = lease;
    const next = watch(pool.acquire());
    void lease.release();
    factory.lose(resource);
    await advance(20);
    expect(next.value?.resource).toBe(factory.created[1]);
    expect(factory.destroyed).toEqual([resource]);
  });

  it('closes a resource once that is lost in its own reset', async () => {
    const { pool, factory } = aPool(new FakeFactory({ reset: true }));
    factory.resets.answer = (resource) => {
      factory.lose(resource);
      return 'keep';
    };
    await (await pool.acquire()).release();
    await advance(0);
    expect(factory.destroyed).toEqual(factory.created);
    expect(pool.stats()).toMatchObject({ size: 0, leased: 0, closing: 0 });
    const next = await pool.acquire();
    expect(next.resource).toBe(factory.created[1]);
  });
});
