import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { advance, failureOf, useFakeTime, watch } from '../../test/support/fake-time.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

function aPool(options?: PoolOptions) {
  return new ResourcePool('p', new FakeFactory(), options);
}

describe('a signal', () => {
  it('that has aborted before refuses the caller with its reason, even when a resource is idle', async () => {
    const pool = aPool();
    await (await pool.acquire()).release();
    const reason = new Error('the client went away');
    await expect(pool.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 });
  });

  it('ends the wait with its reason and leaves the others waiting', async () => {
    const pool = aPool({ max: 1 });
    const holder = await pool.acquire();
    const client = new AbortController();
    const leaving = failureOf(pool.acquire({ signal: client.signal }));
    const staying = watch(pool.acquire());
    client.abort(new Error('the client went away'));
    expect(await leaving).toBe(client.signal.reason);
    expect(pool.stats()).toMatchObject({ waiting: 1, timeouts: 0 });
    await holder.release();
    await advance(0);
    expect(staying.state).toBe('fulfilled');
  });

  it('that aborts in the moment the caller is served takes nothing from it', async () => {
    const pool = aPool({ max: 1 });
    const holder = await pool.acquire();
    const client = new AbortController();
    const next = pool.acquire({ signal: client.signal });
    void holder.release();
    client.abort();
    await expect(next).resolves.toHaveProperty('resource');
    expect(pool.stats()).toMatchObject({ leased: 1, waiting: 0 });
  });

  it('that an observer aborts while the caller is being served loses no resource', async () => {
    const pool = aPool({ max: 1 });
    const holder = await pool.acquire();
    const client = new AbortController();
    const next = watch(pool.acquire({ signal: client.signal }));
    const last = watch(pool.acquire());
    pool.events$.subscribe(({ type }) => type === 'acquired' && client.abort());
    await holder.release();
    await advance(0);
    await next.value?.release();
    await advance(0);
    expect(last.state).toBe('fulfilled');
    expect(pool.stats()).toMatchObject({ leased: 1, waiting: 0 });
  });

  it('keeps no listener of a caller who was served or gave up', async () => {
    const pool = aPool({ max: 1 });
    const { signal } = new AbortController();
    const holder = await pool.acquire({ signal });
    const late = failureOf(pool.acquire({ signal, timeoutMs: 10 }));
    await advance(10);
    await late;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await holder.release();
  });

  it('that aborts ends the wait, though another listener of it gives something back first', async () => {
    const pool = aPool({ max: 1 });
    const holder = await pool.acquire();
    const client = new AbortController();
    const { signal } = client;
    signal.addEventListener('abort', () => void holder.release());
    const same = failureOf(pool.acquire({ signal }));
    const other = watch(pool.acquire());
    client.abort(new Error('the client went away'));
    expect(await same).toBe(signal.reason);
    expect(other.state).toBe('fulfilled');
    expect(pool.stats()).toMatchObject({ leased: 1, waiting: 0 });
  });
});
