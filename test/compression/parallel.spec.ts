import zlib from 'node:zlib';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import type { CompressionPoolOptions } from '../../lib/compression/compression.options.js';
import { noise, text } from '../../lib/compression/payloads.fake.js';
import { ensureTools, runTool } from '../integration/outside-tools.js';
import { inBlocksOf, JOINABLE } from '../support/joinable.js';
import { bytesOfPayload, hunt, huntMs, ONE_SHOT, payloadsOfAnySize } from '../support/payloads.js';

/** The first run on a machine may have to install the programs. */
const INSTALL_WITHIN_MS = 5 * 60_000;

const RUNS = 40;
jest.setTimeout(huntMs(RUNS));
const MIB = 2 ** 20;
const TEXT = text(8 * MIB);

let pool: CompressionPool;
afterEach(async () => {
  expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0, queuedBytes: 0 });
  expect(await pool.drain()).toMatchObject({ clean: true, closeFailures: 0 });
});

function open(
  algorithm: CompressionPoolOptions['algorithm'],
  options?: Partial<CompressionPoolOptions>,
): CompressionPool {
  pool = new CompressionPool('parallel', {
    type: 'compression',
    algorithm,
    max: 4,
    parallel: {},
    ...options,
  });
  return pool;
}

const SMALL_BLOCKS = { aboveBytes: 50_000, blockBytes: 16_384 };

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe.each(JOINABLE)('a large input of $algorithm, compressed in blocks', ({ algorithm, tools }) => {
  const { unpack } = ONE_SHOT[algorithm];
  beforeAll(() => ensureTools(tools), INSTALL_WITHIN_MS);

  it('gives back what it was given, whatever that is, and from however many contexts', async () => {
    const property = fc.asyncProperty(payloadsOfAnySize, fc.integer({ min: 1, max: 6 }), async (of, max) => {
      const input = bytesOfPayload(of);
      const before = Buffer.from(input);
      open(inBlocksOf(algorithm), { max, parallel: SMALL_BLOCKS });
      const packed = await pool.compress(input);
      expect(unpack(packed).equals(before)).toBe(true);
      expect((await pool.decompress(packed)).equals(before)).toBe(true);
      expect(input.equals(before)).toBe(true);
      expect(packed.buffer.byteLength).toBe(packed.length);
      await pool.drain();
    });
    await fc.assert(property, hunt(RUNS));
  });

  it.each(tools)('is read by the program %s', async (tool) => {
    open(algorithm);
    const packed = await pool.compress(TEXT);
    expect((await runTool(tool, ['-dc'], packed)).equals(TEXT)).toBe(true);
  });

  it('has no more than one byte in a hundred more than in one piece', async () => {
    const inBlocks = await open(algorithm).compress(TEXT);
    await pool.drain();
    const inOnePiece = await open(algorithm, { parallel: false }).compress(TEXT);
    expect(inBlocks.equals(inOnePiece)).toBe(false); // it was cut
    expect(inBlocks.length).toBeLessThanOrEqual(inOnePiece.length * 1.01);
  });

  it('is left in one piece up to the limit, and when it is switched off', async () => {
    const large = TEXT.subarray(0, 3 * MIB);
    const inOnePiece = await open(algorithm, { parallel: false }).compress(large);
    await pool.drain();
    open(algorithm, { parallel: { aboveBytes: large.length, blockBytes: 16_384 } });
    expect((await pool.compress(large)).equals(inOnePiece)).toBe(true);
  });

  it('is never mixed up with others, small and large, aborted or not', async () => {
    open(algorithm, { parallel: SMALL_BLOCKS });
    const calls = Array.from({ length: 150 }, async (_, call) => {
      const start = call * 7_919;
      const bytes = call % 3 === 0 ? 600_000 : 3_000 * (call % 7);
      const input = call % 10 === 3 ? noise(bytes, call) : TEXT.subarray(start, start + bytes);
      const controller = new AbortController();
      const calling = pool.compress(input, { signal: controller.signal });
      if (call % 4 === 0) {
        for (let turns = 0; turns < call; turns++) await turn();
        controller.abort();
      }
      const packed = await calling.catch((error: unknown) => error);
      if (Buffer.isBuffer(packed)) expect(unpack(packed).equals(input)).toBe(true);
      else expect(packed).toBe(controller.signal.reason);
    });
    await Promise.all(calls);
  });

  it('finishes when the pool is drained meanwhile', async () => {
    open(algorithm, { parallel: SMALL_BLOCKS });
    const packing = pool.compress(TEXT);
    await turn();
    const [packed, report] = await Promise.all([packing, pool.drain()]);
    expect(unpack(packed).equals(TEXT)).toBe(true);
    expect(report).toMatchObject({ clean: true });
  });

  it('leaves nothing behind when its caller gives up half way, however often', async () => {
    open(algorithm, { parallel: SMALL_BLOCKS });
    for (let moment = 0; moment < 12; moment++) {
      const controller = new AbortController();
      const packing = pool.compress(TEXT, { signal: controller.signal });
      for (let turns = 0; turns < moment * 2; turns++) await turn();
      controller.abort();
      await expect(packing).rejects.toBe(controller.signal.reason);
    }
    const input = text(200_000);
    expect(unpack(await pool.compress(input)).equals(input)).toBe(true);
    while (pool.stats().leased > 0) await turn(); // helpers at their last blocks
  });
});

describe('gzip in blocks', () => {
  it('keeps nobody waiting until it is done', async () => {
    open('gzip', { max: 2, parallel: SMALL_BLOCKS });
    const order: string[] = [];
    const large = pool.compress(TEXT).then((packed) => {
      order.push('large');
      return packed;
    });
    for (let call = 0; call < 10; call++) {
      await turn();
      const input = text(1_000, call);
      expect(zlib.gunzipSync(await pool.compress(input)).equals(input)).toBe(true);
      order.push('small');
    }
    expect(zlib.gunzipSync(await large).equals(TEXT)).toBe(true);
    expect(order).toEqual([...Array.from({ length: 10 }, () => 'small'), 'large']);
  });

  it('is one member, of blocks of the same size, for many readers take the first member for all', async () => {
    open('gzip', { parallel: { aboveBytes: MIB, blockBytes: 2 ** 19 } });
    const input = TEXT.subarray(0, 2 * MIB);
    const blocks = [0, 1, 2, 3].map((index) =>
      zlib.deflateRawSync(input.subarray(index * 2 ** 19, (index + 1) * 2 ** 19), {
        finishFlush: zlib.constants.Z_SYNC_FLUSH,
      }),
    );
    const packed = await pool.compress(input);
    const [head, deflated, tail] = [packed.subarray(0, 10), packed.subarray(10, -8), packed.subarray(-8)];
    expect(head).toEqual(zlib.gzipSync('').subarray(0, 10));
    expect(deflated.equals(Buffer.concat([...blocks, Buffer.from([3, 0])]))).toBe(true);
    expect(zlib.inflateRawSync(deflated).equals(input)).toBe(true);
    expect([tail.readUInt32LE(0), tail.readUInt32LE(4)]).toEqual([zlib.crc32(input), input.length]);
    expect(pool.stats().compressed).toMatchObject({ bytesIn: input.length, bytesOut: packed.length });
  });

  it('is as hard as it is told in every block', async () => {
    const lengths: number[] = [];
    for (const level of [1, 6, 9]) {
      lengths.push((await open('gzip', { level, parallel: SMALL_BLOCKS }).compress(TEXT)).length);
      await pool.drain();
    }
    expect(lengths).toEqual([...lengths].sort((one, other) => other - one));
    expect(new Set(lengths).size).toBe(3);
  });
});

describe.each(['deflate', 'deflate-raw', 'brotli'] as const)('a large input of %s', (algorithm) => {
  it('stays in one piece, since its outputs cannot be joined', async () => {
    const packed = await open(algorithm, { parallel: SMALL_BLOCKS }).compress(TEXT);
    await pool.drain();
    const inOnePiece = await open(algorithm, { parallel: false }).compress(TEXT);
    expect(packed.equals(inOnePiece)).toBe(true);
    expect(ONE_SHOT[algorithm].unpack(packed).equals(TEXT)).toBe(true);
  });
});
