import { Duplex, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { ReadableWritablePair } from 'node:stream/web';
import zlib from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { ALGORITHMS, noise, text } from '../../lib/compression/payloads.fake.js';
import {
  bytesOfPayload,
  cut,
  cuts,
  hunt,
  huntMs,
  ONE_SHOT,
  payloads,
  skippableFrame,
} from '../support/payloads.js';
import { bytewise, expectToServe, Sink, through } from '../support/payloads.streams.js';

const RUNS = 40;
jest.setTimeout(huntMs(RUNS));
const MIB = 2 ** 20;

describe.each(ALGORITHMS)('a stream of %s', (algorithm) => {
  const { pack, unpack } = ONE_SHOT[algorithm];
  let pool: CompressionPool;

  beforeEach(() => {
    pool = new CompressionPool(algorithm, { type: 'compression', algorithm, max: 2 });
  });

  afterEach(async () => {
    expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0 });
    expect(await pool.drain()).toMatchObject({ clean: true, closeFailures: 0 });
  });

  it('gives back what it is given in whatever chunks, however slow its reader', async () => {
    const pace = fc.nat(3);
    const property = fc.asyncProperty(payloads, cuts, cuts, pace, async (payload, places, more, turns) => {
      const input = bytesOfPayload(payload);
      const compress = pool.createCompress();
      const packed = await through(compress, cut(input, places), new Sink(turns));
      expect(unpack(packed).equals(input)).toBe(true);
      expect(compress).toMatchObject({ bytesIn: input.length, bytesOut: packed.length });

      const decompress = pool.createDecompress();
      const output = await through(decompress, cut(packed, more), new Sink(turns));
      expect(output.equals(input)).toBe(true);
      expect(decompress).toMatchObject({ bytesIn: packed.length, bytesOut: input.length });
    });
    await fc.assert(property, hunt(RUNS));
    expect(pool.stats().destroyed).toBe(0);
  });

  it('feeds the other way while it is still fed', async () => {
    const input = Buffer.concat([text(MIB), noise(MIB)]);
    const sink = new Sink();
    const source = Readable.from(cut(input, [0.01, 0.2, 0.21, 0.9]), { objectMode: false });
    await pipeline(source, pool.createCompress(), pool.createDecompress(), sink);
    expect(sink.bytes.equals(input)).toBe(true);
  });

  it('takes one byte after the other', async () => {
    const input = text(2_000);
    const packed = await through(pool.createCompress(), bytewise(input));
    expect(unpack(packed).equals(input)).toBe(true);
    expect((await through(pool.createDecompress(), bytewise(packed))).equals(input)).toBe(true);
  });

  it('takes nothing at all', async () => {
    expect(unpack(await through(pool.createCompress(), []))).toHaveLength(0);
    expect(await through(pool.createDecompress(), [pack(Buffer.alloc(0))])).toHaveLength(0);
    await expect(through(pool.createDecompress(), [])).rejects.toMatchObject({
      code: 'ERR_POOL_INPUT_TRUNCATED',
    });
  });

  it('gives many streams at once, and calls between them, each their own', async () => {
    const calls = Array.from({ length: 60 }, async (_, call) => {
      const input = Buffer.concat([text(500 * call, call), noise(call, call)]);
      const packed = await through(pool.createCompress(), cut(input, [0.1, 0.5]));
      const [output, another] = await Promise.all([
        through(pool.createDecompress(), cut(packed, [0.7]), new Sink(call % 3)),
        pool.decompress(packed),
      ]);
      expect([output.equals(input), another.equals(input)]).toEqual([true, true]);
    });
    await Promise.all(calls);
    await expectToServe(pool);
  });

  it('is read by for await, which may leave early', async () => {
    const input = noise(2 * MIB);
    const chunks: Buffer[] = [];
    for await (const chunk of pool.createCompress().end(input)) chunks.push(chunk as Buffer);
    expect(unpack(Buffer.concat(chunks)).equals(input)).toBe(true);

    for await (const chunk of pool.createCompress().end(input)) {
      expect(chunk).toBeInstanceOf(Buffer);
      break;
    }
    await expectToServe(pool);
  });

  it('is a web stream by way of Node', async () => {
    const input = text(300_000);
    const [compress, decompress] = [pool.createCompress(), pool.createDecompress()].map(
      (stream) => Duplex.toWeb(stream) as unknown as ReadableWritablePair<Uint8Array, Uint8Array>,
    ) as [ReadableWritablePair, ReadableWritablePair];
    const source = Readable.toWeb(Readable.from(cut(input, [0.2, 0.4]), { objectMode: false }));
    const output = source.pipeThrough(compress).pipeThrough(decompress);
    expect((await buffer(output)).equals(input)).toBe(true);
    await expectToServe(pool);
  });
});

describe('a stream of several gzip members', () => {
  it('is one input, wherever it is cut', async () => {
    const pool = new CompressionPool('gzip', { type: 'compression', algorithm: 'gzip' });
    const parts = [text(50), Buffer.alloc(0), text(90_000, 2)];
    const packed = Buffer.concat(parts.map((part) => zlib.gzipSync(part)));
    const property = fc.asyncProperty(cuts, async (places) => {
      const output = await through(pool.createDecompress(), cut(packed, places));
      expect(output.equals(Buffer.concat(parts))).toBe(true);
    });
    await fc.assert(property, hunt(RUNS));
    await pool.drain();
  });
});

if (ALGORITHMS.includes('zstd')) {
  describe('a stream of several zstd frames', () => {
    it('is one input, wherever it is cut, with skippable frames among them', async () => {
      const pool = new CompressionPool('zstd', { type: 'compression', algorithm: 'zstd' });
      const parts = [text(50), Buffer.alloc(0), text(90_000, 2)];
      const frames = parts.flatMap((part, index) => [
        skippableFrame(text(index * 30), index),
        zlib.zstdCompressSync(part),
      ]);
      const packed = Buffer.concat([...frames, skippableFrame(noise(70_000))]);
      const property = fc.asyncProperty(cuts, async (places) => {
        const output = await through(pool.createDecompress(), cut(packed, places));
        expect(output.equals(Buffer.concat(parts))).toBe(true);
      });
      await fc.assert(property, hunt(RUNS));
      expect((await through(pool.createDecompress(), bytewise(packed))).length).toBe(90_050);
      await pool.drain();
    });
  });
}
