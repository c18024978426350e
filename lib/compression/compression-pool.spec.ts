import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { PoolQueueFullError } from '../core/pool.errors.js';
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
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const inputs = [
      INPUT.toString(),
      INPUT,
      bytes,
      bytes.buffer,
      new DataView(bytes.buffer),
      new Float64Array(bytes.buffer),
      shared,
      shared.buffer,
    ];
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

  it('refuses an input that is larger than it may be, at once and whatever it is', async () => {
    open({ maxInputBytes: 10, max: 1 });
    for (const input of ['eleven char', Buffer.alloc(11), new SharedArrayBuffer(11), 'grün grün']) {
      await expect(pool.compress(input)).rejects.toMatchObject({
        code: 'ERR_POOL_INPUT_TOO_LARGE',
        message: '[pool "archive"] the input has 11 bytes; one call takes at most 10 (maxInputBytes)',
      });
    }
    await expect(pool.decompress(Buffer.alloc(11))).rejects.toMatchObject({
      code: 'ERR_POOL_INPUT_TOO_LARGE',
    });
    expect(await pool.compress('ten chars!')).toBeInstanceOf(Buffer);
    expect(pool.stats()).toMatchObject({ acquired: 1, queuedBytes: 0 });
  });

  it('refuses a call when the inputs of those who wait or run have as many bytes as they may', async () => {
    const { codec, runs } = handOperatedCodec();
    open({ algorithm: codec, max: 1, maxQueuedBytes: 2_500 });
    const calls = [pool.compress(INPUT), pool.decompress(INPUT)];
    expect(pool.stats().queuedBytes).toBe(2_000);
    const refused = pool.compress(INPUT);
    await expect(refused).rejects.toBeInstanceOf(PoolQueueFullError);
    await expect(refused).rejects.toMatchObject({ code: 'ERR_POOL_QUEUE_FULL' });
    calls.push(pool.compress(INPUT.subarray(500)));

    for (let run = 0; run < calls.length; run++) {
      await turn();
      runs[run]?.finish();
      await calls[run];
    }
    expect(pool.stats().queuedBytes).toBe(0);
  });

  it('forgets the bytes of calls that failed, gave up or were aborted', async () => {
    const { codec, runs } = handOperatedCodec();
    open({ algorithm: codec, max: 1 });
    const controller = new AbortController();
    const running = pool.compress(INPUT, { signal: controller.signal });
    const waiting = [
      pool.compress(INPUT, { signal: controller.signal }),
      pool.compress(INPUT, { timeoutMs: 1 }),
    ];
    expect(pool.stats().queuedBytes).toBe(3_000);
    await Promise.allSettled(waiting.slice(1));
    controller.abort();
    await Promise.allSettled([running, ...waiting]);
    expect(runs).toHaveLength(1);
    expect(pool.stats().queuedBytes).toBe(0);
  });

  it('tells what has gone through it, in both directions', async () => {
    open();
    expect(pool.stats()).toMatchObject({
      compressed: { bytesIn: 0, ratio: 0 },
      decompressed: { bytesIn: 0 },
    });
    const packed = await pool.compress(INPUT);
    await pool.use((context) => context.compress(INPUT));
    await pool.decompress(packed);
    await pool.decompress(noise(50)).catch(() => undefined);

    const { compressed, decompressed } = pool.stats();
    const ratio = INPUT.length / packed.length;
    expect(compressed).toMatchObject({ bytesIn: 2 * INPUT.length, bytesOut: 2 * packed.length, ratio });
    expect(decompressed).toMatchObject({ bytesIn: packed.length, bytesOut: INPUT.length, ratio });
    for (const { bytesPerSecond } of [compressed, decompressed]) expect(bytesPerSecond).toBeGreaterThan(0);
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

  it('has a large input compressed by every context that is free, into one output that anybody reads', async () => {
    const input = text(300_000);
    open({ max: 3, parallel: { aboveBytes: 100_000, blockBytes: 20_000 } });
    for (let call = 0; call < 3; call++) {
      const packed = await pool.compress(input);
      expect(gunzipSync(packed).equals(input)).toBe(true);
      expect((await pool.decompress(packed)).equals(input)).toBe(true);
    }
    expect(pool.stats()).toMatchObject({ size: 3, leased: 0, waiting: 0, timeouts: 0 });
    expect(pool.stats().compressed.bytesIn).toBe(3 * input.length);
  });

  it('leaves an input in one piece that is not large, or where nobody is free', async () => {
    const input = text(100_000);
    const whole = gzipSync(input);
    const parallel = { aboveBytes: 100_000, blockBytes: 20_000 };
    expect(await open({ max: 3, parallel }).compress(input)).toEqual(whole);
    await pool.drain();
    expect(await open({ max: 1, parallel: { ...parallel, aboveBytes: 0 } }).compress(input)).toEqual(whole);
  });

  it('lets no caller wait for a large input longer than for one block', async () => {
    const { codec, runs } = handOperatedCodec();
    open({
      algorithm: { ...codec, leastBlockBytes: 1 },
      max: 2,
      parallel: { aboveBytes: 0, blockBytes: 16_384 },
    });
    const input = noise(10 * 16_384);
    const large = pool.compress(input);
    await turn();
    expect(pool.stats()).toMatchObject({ leased: 2 });
    const small = pool.compress(INPUT);
    await turn();
    expect(pool.stats()).toMatchObject({ leased: 2, waiting: 1 });
    for (const run of runs) run.finish();
    await turn();
    expect(pool.stats()).toMatchObject({ leased: 2, waiting: 0 });
    for (let run = 0; run < 12; run++) {
      runs[run]?.finish();
      await turn();
    }
    expect(await small).toEqual(INPUT);
    expect((await large).equals(input)).toBe(true);
    expect(runs).toHaveLength(11);
  });

  it('begins no other block of a large input that was aborted', async () => {
    open({ max: 2, parallel: { aboveBytes: 0, blockBytes: 20_000 } });
    const controller = new AbortController();
    const large = pool.compress(noise(4 * 2 ** 20), { signal: controller.signal });
    for (let turns = 0; turns < 5; turns++) await turn();
    controller.abort(new Error('the client went away'));
    await expect(large).rejects.toBe(controller.signal.reason);
    expect((await pool.decompress(await pool.compress(INPUT))).equals(INPUT)).toBe(true);
    expect(await pool.drain()).toMatchObject({ clean: true });
    expect(pool.stats().compressed.bytesIn).toBeLessThan(2 * 2 ** 20);
  });

  it('lends its contexts for a series of inputs', async () => {
    open();
    const packed = await pool.use(async (context) => [
      await context.compress(INPUT),
      await context.compress(INPUT),
    ]);
    expect(packed).toEqual([gzipSync(INPUT), gzipSync(INPUT)]);
  });

  it('lends a context to nobody else that was given back while it worked', async () => {
    const { codec, runs } = handOperatedCodec();
    open({ algorithm: codec, max: 1 });
    const left = await pool.use((context) => [context.compress(INPUT), context.decompress(INPUT)]);
    const next = pool.compress('next');
    for (const each of [0, 1]) {
      await turn();
      expect(runs).toHaveLength(2);
      runs[each]?.finish();
    }
    await turn();
    runs[2]?.finish();
    expect((await next).toString()).toBe('next');
    expect(await Promise.all(left)).toEqual([INPUT, INPUT]);
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0, idle: 1 });
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
