import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Codec, Coder } from './codec.js';
import { CompressionPool } from './compression-pool.js';
import type { CompressionPoolOptions } from './compression.options.js';
import { noise, text } from './payloads.fake.js';

const INPUT = text(1_000);

let pool: CompressionPool;
afterEach(() => pool.drain({ timeoutMs: 0 }));

function open(options: Partial<CompressionPoolOptions> = {}): CompressionPool {
  pool = new CompressionPool('archive', { type: 'compression', algorithm: 'gzip', ...options });
  return pool;
}

/** A codec whose runs go on until they are settled by the test, or closed. */
function handOperatedCodec() {
  const runs: { finish: () => void; close: jest.Mock<Coder['close']> }[] = [];
  const makeCoder = (): Coder => {
    const close = jest.fn(() => Promise.resolve());
    return {
      run: (input) =>
        new Promise((resolve, reject) => {
          runs.push({ finish: () => resolve(Buffer.from(input)), close });
          close.mockImplementation(() => Promise.resolve(reject(new Error('closed half way'))));
        }),
      close,
    };
  };
  const codec: Codec = { name: 'by hand', createCompressor: makeCoder, createDecompressor: makeCoder };
  return { codec, runs };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('CompressionPool', () => {
  it('compresses strings, buffers and every other view, and gives the same bytes back', async () => {
    open();
    const bytes = Uint8Array.from(INPUT);
    const inputs = [INPUT.toString(), INPUT, bytes, bytes.buffer, new DataView(bytes.buffer)];
    for (const input of inputs) {
      const packed = await pool.compress(input);
      expect(packed.length).toBeLessThan(INPUT.length);
      expect((await pool.decompress(packed)).equals(INPUT)).toBe(true);
      expect((await pool.decompress(Uint8Array.from(packed).buffer)).equals(INPUT)).toBe(true);
    }
  });

  it('takes an empty input, but not nothing', async () => {
    open();
    expect(await pool.decompress(await pool.compress(''))).toHaveLength(0);
    await expect(pool.decompress(Buffer.alloc(0))).rejects.toMatchObject({
      code: 'ERR_POOL_INPUT_TRUNCATED',
    });
    await expect(pool.compress(undefined as never)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TYPE' });
    await expect(pool.decompress('text' as never)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TYPE' });
  });

  it('compresses as hard as it is told', async () => {
    const input = text(20_000);
    const lengths: number[] = [];
    for (const level of [0, 1, 9]) {
      lengths.push((await open({ level }).compress(input)).length);
      await pool.drain();
    }
    expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
    expect(new Set(lengths).size).toBe(3);
  });

  it('never has more contexts than max, however many callers there are, and mixes up none of them', async () => {
    open({ max: 2 });
    const inputs = Array.from({ length: 200 }, (_, index) => text(500 + index, index));
    const packed = await Promise.all(inputs.map((input) => pool.compress(input)));
    const outputs = await Promise.all(packed.map((each) => pool.decompress(each)));
    expect(outputs.every((output, index) => inputs[index]?.equals(output))).toBe(true);
    expect(pool.stats()).toMatchObject({ created: 2, idle: 2, leased: 0 });
  });

  it('keeps its contexts through bad inputs', async () => {
    open({ max: 1 });
    const packed = await pool.compress(INPUT);
    for (const bad of [packed.subarray(0, 9), noise(90), Buffer.concat([packed, Buffer.from('more')])]) {
      await expect(pool.decompress(bad)).rejects.toThrow('[pool "archive"]');
      expect((await pool.decompress(packed)).equals(INPUT)).toBe(true);
    }
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  it('bounds what an input may unpack to, for all calls and for one', async () => {
    open({ maxOutputBytes: 999 });
    const packed = await pool.compress(INPUT);
    await expect(pool.decompress(packed)).rejects.toMatchObject({
      code: 'ERR_POOL_OUTPUT_TOO_LARGE',
      message: '[pool "archive"] the output is larger than 999 bytes (maxOutputBytes)',
    });
    expect(await pool.decompress(packed, { maxOutputBytes: 1_000 })).toHaveLength(1_000);
    await expect(pool.decompress(packed, { maxOutputBytes: 10 })).rejects.toThrow('larger than 10 bytes');
    await expect(pool.use((context) => context.decompress(packed))).rejects.toThrow('larger than 999 bytes');
  });

  it('refuses options of a call that cannot be meant', async () => {
    open();
    const packed = gzipSync(INPUT);
    await expect(pool.decompress(packed, { maxOutputBytes: -1 })).rejects.toMatchObject({
      code: 'ERR_POOL_OPTIONS',
    });
    await expect(pool.decompress(packed, { limit: 1 } as object)).rejects.toMatchObject({
      code: 'ERR_POOL_OPTIONS',
    });
    await expect(pool.compress(INPUT, { priority: 'urgent' } as object)).rejects.toMatchObject({
      code: 'ERR_POOL_OPTIONS',
    });
  });

  it('waits for a context as long as it is told', async () => {
    const { codec, runs } = handOperatedCodec();
    open({ algorithm: codec, max: 1 });
    const first = pool.compress(INPUT);
    await expect(pool.compress(INPUT, { timeoutMs: 5 })).rejects.toMatchObject({ code: 'ERR_POOL_TIMEOUT' });
    runs[0]?.finish();
    expect(await first).toEqual(INPUT);
  });

  it('rejects with the reason when the signal aborts, before it starts and while it waits', async () => {
    const { codec, runs } = handOperatedCodec();
    open({ algorithm: codec, max: 1 });
    const reason = new Error('the client went away');
    const controller = new AbortController();
    const first = pool.compress(INPUT);
    const waiting = pool.compress(INPUT, { signal: controller.signal });
    await turn();
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(pool.compress(INPUT, { signal: controller.signal })).rejects.toBe(reason);
    expect(runs).toHaveLength(1);
    runs[0]?.finish();
    await first;
  });

  it('rejects with the reason when the signal aborts half way, and never uses that context again', async () => {
    const { codec, runs } = handOperatedCodec();
    open({ algorithm: codec, max: 1 });
    const reason = new Error('the client went away');
    const controller = new AbortController();
    const aborted = pool.compress(INPUT, { signal: controller.signal });
    await turn();
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect(runs[0]?.close).toHaveBeenCalledTimes(1);

    const next = pool.compress(INPUT);
    await turn();
    expect(runs).toHaveLength(2);
    runs[1]?.finish();
    expect(await next).toEqual(INPUT);
    expect(pool.stats()).toMatchObject({ created: 2, destroyed: 1 });
  });

  it('aborts what zlib is at work on', async () => {
    open({ max: 1 });
    const controller = new AbortController();
    const aborted = pool.compress(noise(8 * 2 ** 20), { signal: controller.signal });
    await turn();
    controller.abort();
    await expect(aborted).rejects.toBe(controller.signal.reason);
    expect((await pool.decompress(await pool.compress(INPUT))).equals(INPUT)).toBe(true);
    expect(pool.stats()).toMatchObject({ created: 2, destroyed: 1, closing: 0 });
  });

  it('lends its contexts for a series of inputs', async () => {
    open();
    const packed = await pool.use(async (context) => [
      await context.compress(INPUT),
      await context.compress(INPUT),
    ]);
    expect(packed).toEqual([gzipSync(INPUT), gzipSync(INPUT)]);
  });

  it('finishes what it works on when it is drained, and refuses what comes after', async () => {
    open({ max: 1 });
    const working = [pool.compress(INPUT), pool.compress(INPUT)];
    const report = await pool.drain();
    await Promise.all(working);
    expect(report).toMatchObject({ clean: true, closed: 1 });
    await expect(pool.compress(INPUT)).rejects.toMatchObject({ code: 'ERR_POOL_CLOSED' });
  });

  it('breaks off what is not done by the deadline of the drain', async () => {
    const { codec } = handOperatedCodec();
    open({ algorithm: codec });
    const endless = pool.compress(INPUT);
    const outcome = expect(endless).rejects.toMatchObject({ code: 'ERR_POOL_LEASE_BROKEN' });
    await turn();
    expect(await pool.drain({ timeoutMs: 5 })).toMatchObject({ clean: false, revoked: [expect.anything()] });
    await outcome;
  });
});
