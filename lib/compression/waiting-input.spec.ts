import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Codec, Coder } from './codec.js';
import { CompressionPool } from './compression-pool.js';
import { text } from './payloads.fake.js';

const CALLERS = ['one', 'two', 'three'];

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe.each(['compress', 'decompress'] as const)('an input whose caller waits (%s)', (direction) => {
  const caller = new AsyncLocalStorage<string>();
  /** For each run of the codec, the input and whose async context it begins and ends in. */
  let runs: unknown[][];
  let pool: CompressionPool;

  const run: Coder['run'] = async (input) => {
    const seen = [Buffer.from(input).toString(), caller.getStore()];
    runs.push(seen);
    await turn();
    seen.push(caller.getStore());
    return Buffer.from(input);
  };
  const makeCoder = (): Coder => ({ run, close: () => Promise.resolve() });
  const codec: Codec = { name: 'by hand', createCompressor: makeCoder, createDecompressor: makeCoder };

  beforeEach(() => {
    runs = [];
    pool = new CompressionPool('archive', { type: 'compression', algorithm: codec, max: 1 });
  });
  afterEach(() => pool.drain({ timeoutMs: 0 }));

  const visit = (name: string) => caller.run(name, () => pool[direction](Buffer.from(name)));

  it('is worked on in the async context of its caller, whoever gives the context back', async () => {
    await Promise.all(CALLERS.map(visit));
    expect(runs).toEqual(CALLERS.map((name) => [name, name, name]));
  });

  it('is refused if its memory was transferred meanwhile, and counts no more', async () => {
    const input = Uint8Array.from(Buffer.from('two'));
    const calls = Promise.allSettled([visit('one'), pool[direction](input), visit('three')]);
    structuredClone(input, { transfer: [input.buffer] });
    expect(await calls).toMatchObject([
      { status: 'fulfilled' },
      { reason: { code: 'ERR_POOL_INPUT_TYPE', pool: 'archive' } },
      { status: 'fulfilled' },
    ]);
    expect(runs.map(([content]) => content)).toEqual(['one', 'three']);
    expect(pool.stats()).toMatchObject({ leased: 0, queuedBytes: 0 });
  });

  it('is so also where somebody listens to the channels', async () => {
    const acquiring = tracingChannel('nestjs-pool:acquire');
    const listen = () => undefined;
    acquiring.start.subscribe(listen);
    await Promise.all(CALLERS.map(visit));
    acquiring.start.unsubscribe(listen);
    expect(runs).toEqual(CALLERS.map((name) => [name, name, name]));
  });

  it('is worked on neither inside its own call nor inside the one that gives the context back', async () => {
    const lease = await pool.acquire();
    const waited = visit('one');
    void lease.release();
    expect(runs).toHaveLength(0);
    await waited;
    expect(pool.stats()).toMatchObject({ idle: 1 });
    const served = visit('two');
    expect(runs).toHaveLength(1);
    await served;
    expect(runs).toHaveLength(2);
  });

  it('gives its bytes back when it is refused', async () => {
    const lease = await pool.acquire();
    const refused = [visit('one'), pool[direction](Buffer.from('two'), { timeoutMs: 1 })];
    expect(pool.stats().queuedBytes).toBe(6);
    const draining = pool.drain({ timeoutMs: 20 });
    const outcomes = await Promise.allSettled(refused);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
    await expect(visit('three')).rejects.toMatchObject({ code: 'ERR_POOL_CLOSED' });
    expect(pool.stats().queuedBytes).toBe(0);
    await draining;
    await lease.release();
  });

  it('takes no bytes when its call is refused for its options', async () => {
    const call = pool[direction](Buffer.from('one'), { priority: 'urgent' } as object);
    await expect(call).rejects.toMatchObject({ code: 'ERR_POOL_OPTIONS' });
    expect(pool.stats().queuedBytes).toBe(0);
  });
});

describe('a large input whose caller waits', () => {
  it('hires others in the async context of its caller, whoever gives the contexts back', async () => {
    const parallel = { aboveBytes: 100_000, blockBytes: 20_000 };
    const pool = new CompressionPool('archive', { type: 'compression', algorithm: 'gzip', max: 2, parallel });
    const caller = new AsyncLocalStorage<string>();
    const leases = [await pool.acquire(), await pool.acquire()];
    const hirers: unknown[] = [];
    const acquiring = tracingChannel('nestjs-pool:acquire');
    const note = (message: unknown) =>
      (message as { priority: string }).priority === 'low' && hirers.push(caller.getStore());
    acquiring.start.subscribe(note);
    const input = text(300_000);
    const waiting = caller.run('the caller', () => pool.compress(input));
    caller.run('a stranger', () => leases.forEach((lease) => void lease.release()));
    expect(gunzipSync(await waiting).equals(input)).toBe(true);
    acquiring.start.unsubscribe(note);
    expect(hirers).toEqual(['the caller']);
    await pool.drain();
  });
});
