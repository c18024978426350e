import zlib from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { CodecContext } from './codec-context.js';
import { noise, text } from './payloads.fake.js';
import { CHUNK_BYTES } from './stream-coder.js';
import { zstd, zstdDictionaryProblem, zstdProblem } from './zstd.codec.js';
import { zstdFrames } from './zstd-frames.js';

const LIMIT = 1_000_000;

const HAS_ZSTD = 'createZstdCompress' in zlib;

describe('zstdProblem', () => {
  it('tells which Node is needed exactly where zlib has no zstd', () => {
    const wanted = `zstd needs Node 22.15 or later, of the 23 line 23.8 or later; this is ${process.versions.node}`;
    expect(zstdProblem()).toBe(HAS_ZSTD ? undefined : wanted);
  });
});

describe('zstdDictionaryProblem', () => {
  it.each(['22.19.0', '22.23.3', '24.6.0', '24.21.0', '25.0.0'])('has none with Node %s', (version) => {
    expect(zstdDictionaryProblem(version)).toBeUndefined();
  });

  it.each(['20.20.2', '22.18.9', '23.11.0', '24.5.0'])('tells which Node is needed on %s', (version) => {
    expect(zstdDictionaryProblem(version)).toBe(
      `a dictionary for zstd needs Node 22.19 or later, of the 24 line 24.6 or later; this is ${version}`,
    );
  });
});

const describeWhereNodeHasIt = HAS_ZSTD ? describe : () => undefined;

describeWhereNodeHasIt('zstd', () => {
  const culprit = { pool: 'test', codec: 'zstd' };
  const context = new CodecContext({ codec: zstd, pool: 'test', maxOutputBytes: LIMIT });
  afterAll(() => context.close());

  it('reads several frames as one input', async () => {
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]);
    const parts = [text(10), text(0), text(300_000)];
    const frames = parts.map((part) => zlib.zstdCompressSync(part));
    for (let call = 0; call < 3; call++) {
      const output = await context.decompress(Buffer.concat([skippable, ...frames, skippable]));
      expect(output.equals(Buffer.concat(parts))).toBe(true);
    }
  });

  it('tells what is wrong with the first of several frames', async () => {
    const [good, bad] = [zlib.zstdCompressSync(text(1_000)), await context.compress(text(1_000))];
    bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
    await expect(context.decompress(Buffer.concat([bad, good, good]))).rejects.toMatchObject({
      code: 'ERR_POOL_INPUT_CORRUPT',
      cause: { code: 'ZSTD_error_checksum_wrong' },
    });
    expect(await context.decompress(good)).toHaveLength(1_000);
  });

  it('holds the limit over all frames together', async () => {
    const frame = zlib.zstdCompressSync(text(1_000));
    const three = Buffer.concat([frame, frame, frame]);
    await expect(context.decompress(three, 2_999)).rejects.toMatchObject({
      code: 'ERR_POOL_OUTPUT_TOO_LARGE',
    });
    expect(await context.decompress(three, 3_000)).toHaveLength(3_000);
  });

  it('writes one frame, where it fills a buffer of the stream to the last byte as well', async () => {
    let filled = 0;
    for (let bytes = CHUNK_BYTES - 40; bytes < CHUNK_BYTES; bytes++) {
      const packed = await context.compress(noise(bytes));
      if (packed.length === CHUNK_BYTES) filled += 1;
      expect(zstdFrames(culprit, packed)).toHaveLength(1);
      expect(packed.buffer.byteLength).toBe(packed.length);
    }
    expect(filled).toBe(1);
  });

  it('writes a checksum, as the zstd program does, and the size of the content', async () => {
    const [descriptor = 0] = (await context.compress(text(5_000))).subarray(4);
    expect(descriptor & 0x04).toBe(0x04);
    expect(descriptor & 0xe0).not.toBe(0);
  });

  it('keeps the window within the 8 MiB that browsers read, at any level', async () => {
    const thorough = new CodecContext({ codec: zstd, pool: 'test', maxOutputBytes: LIMIT, level: 22 });
    const packed = await thorough.compress(Buffer.alloc(20 * 2 ** 20));
    await thorough.close();
    const [descriptor = 0, window = 0] = packed.subarray(4);
    const isSingleSegment = (descriptor & 0x20) !== 0;
    expect(isSingleSegment).toBe(false);
    expect((window >> 3) + 10).toBeLessThanOrEqual(23);
  });
});
