import zlib from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CodecContext } from './codec-context.js';
import { codecOf, isAlgorithm, type CompressionAlgorithm } from './codecs.js';
import { CompressionError, type CompressionErrorCode } from './compression.errors.js';
import { ALGORITHMS, noise, text } from './payloads.fake.js';

const LIMIT = 2_000_000;

/** What any other program with zlib does. */
const ONE_SHOT: Record<
  CompressionAlgorithm,
  { pack: (input: Buffer) => Buffer; unpack: (input: Buffer) => Buffer }
> = {
  gzip: { pack: zlib.gzipSync, unpack: zlib.gunzipSync },
  deflate: { pack: zlib.deflateSync, unpack: zlib.inflateSync },
  'deflate-raw': { pack: zlib.deflateRawSync, unpack: zlib.inflateRawSync },
  brotli: { pack: zlib.brotliCompressSync, unpack: zlib.brotliDecompressSync },
  zstd: { pack: zlib.zstdCompressSync, unpack: zlib.zstdDecompressSync },
};

/** Formats that carry a checksum of their content. */
const CHECKED = new Set<CompressionAlgorithm>(['gzip', 'deflate', 'zstd']);

describe.each(ALGORITHMS)('%s', (algorithm) => {
  const { pack, unpack } = ONE_SHOT[algorithm];
  let context: CodecContext;

  beforeEach(() => {
    context = new CodecContext({ codec: codecOf(algorithm), pool: 'test', maxOutputBytes: LIMIT });
  });
  afterEach(() => context.close());

  const codeFor = async (
    input: Uint8Array,
    maxOutputBytes?: number,
  ): Promise<CompressionErrorCode | 'none'> => {
    try {
      await context.decompress(input, maxOutputBytes);
      return 'none';
    } catch (error) {
      expect(error).toBeInstanceOf(CompressionError);
      return (error as CompressionError).code;
    }
  };

  it.each([0, 1, 1_024, 65_536, 65_537, 2_000_000])(
    'gives back what it was given: %i bytes',
    async (bytes) => {
      for (const input of [text(bytes), noise(bytes), Buffer.alloc(bytes)]) {
        const packed = await context.compress(input);
        expect((await context.decompress(packed)).equals(input)).toBe(true);
      }
    },
  );

  it('writes what the one-shot functions read and reads what they write', async () => {
    for (const bytes of [0, 1, 1_000, 300_000]) {
      const input = text(bytes);
      expect(unpack(await context.compress(input)).equals(input)).toBe(true);
      expect((await context.decompress(pack(input))).equals(input)).toBe(true);
    }
  });

  it('keeps its level when it is used again', async () => {
    const level = algorithm === 'brotli' ? 10 : 9;
    const thorough = new CodecContext({
      codec: codecOf(algorithm),
      pool: 'test',
      maxOutputBytes: LIMIT,
      level,
    });
    const input = text(20_000);
    const lengths = new Set<number>();
    for (let call = 0; call < 5; call++) lengths.add((await thorough.compress(input)).length);
    await thorough.close();

    expect(lengths.size).toBe(1);
    expect([...lengths][0]).toBeLessThan((await context.compress(input)).length);
  });

  it('serves many inputs of any size one after the other, each rightly', async () => {
    for (let call = 0; call < 500; call++) {
      const input = call % 2 === 0 ? text(call * 7, call) : noise(call * 3, call);
      expect((await context.decompress(await context.compress(input))).equals(input)).toBe(true);
    }
  });

  it('gives outputs that own their memory and leaves inputs as they are', async () => {
    const input = text(5_000);
    const before = Buffer.from(input);
    const packed = await context.compress(input);
    const output = await context.decompress(packed);
    const copy = Buffer.from(output);
    await context.decompress(await context.compress(noise(5_000)));

    expect(input.equals(before)).toBe(true);
    expect(output.equals(copy)).toBe(true);
    for (const owner of [packed, output]) expect(owner.buffer.byteLength).toBe(owner.length);
  });

  it('calls an input truncated wherever it is cut', async () => {
    const input = text(60);
    const packed = pack(input);
    for (let length = 0; length < packed.length; length++) {
      expect(await codeFor(packed.subarray(0, length))).toBe('ERR_POOL_INPUT_TRUNCATED');
    }
    expect((await context.decompress(packed)).equals(input)).toBe(true);
  });

  it('survives every flipped bit, and lets none pass for something else where there is a checksum', async () => {
    const input = text(60);
    const packed = await context.compress(input);
    for (let bit = 0; bit < packed.length * 8; bit++) {
      const damaged = Buffer.from(packed);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const output = await context.decompress(damaged).catch((error: unknown) => error);
      if (Buffer.isBuffer(output)) expect(!CHECKED.has(algorithm) || output.equals(input)).toBe(true);
      else expect((output as CompressionError).code).toMatch(/^ERR_POOL_(INPUT|OUTPUT)_/);
      expect((await context.decompress(packed)).equals(input)).toBe(true);
    }
  });

  it('refuses bytes behind the end, padding too', async () => {
    const packed = pack(text(2_000));
    for (const tail of [Buffer.from('some more'), Buffer.alloc(1), Buffer.alloc(600), noise(100_000)]) {
      expect(await codeFor(Buffer.concat([packed, tail]))).toBe('ERR_POOL_INPUT_TRAILING');
    }
  });

  it('says that an input of another kind is corrupt', async () => {
    expect(await codeFor(Buffer.alloc(64, 0xff))).toBe('ERR_POOL_INPUT_CORRUPT');
    for (const other of ALGORITHMS.filter((each) => each !== algorithm)) {
      expect(await codeFor(ONE_SHOT[other].pack(text(2_000)))).not.toBe('none');
    }
  });

  it('yields as much as it may and not a byte more', async () => {
    const packed = pack(text(100_000));
    expect(await codeFor(packed, 100_000)).toBe('none');
    expect(await codeFor(packed, 99_999)).toBe('ERR_POOL_OUTPUT_TOO_LARGE');
    expect(await codeFor(pack(Buffer.alloc(0)), 0)).toBe('none');
    expect(await codeFor(pack(Buffer.alloc(1)), 0)).toBe('ERR_POOL_OUTPUT_TOO_LARGE');
  });

  it('stops a bomb at the limit', async () => {
    const bomb = pack(Buffer.alloc(8 * 2 ** 20)); // to make more takes brotli a while
    expect(await codeFor(bomb, 2 ** 20)).toBe('ERR_POOL_OUTPUT_TOO_LARGE');
  });

  it('serves rightly after each kind of error', async () => {
    const input = text(3_000);
    const packed = pack(input);
    const bad = [
      packed.subarray(0, 20),
      noise(50),
      Buffer.concat([packed, packed.subarray(0, 1), Buffer.from('tail')]),
      pack(Buffer.alloc(LIMIT + 1)),
    ];
    for (const each of bad) {
      expect(await codeFor(each)).not.toBe('none');
      expect((await context.decompress(packed)).equals(input)).toBe(true);
      expect(unpack(await context.compress(input)).equals(input)).toBe(true);
    }
  });

  it('names the pool and the algorithm in its errors, and keeps the cause', async () => {
    const error = await context.decompress(Buffer.alloc(9, 0xff)).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'CompressionError', pool: 'test' });
    expect((error as Error).message).toContain(`[pool "test"] the input is no valid ${algorithm}: `);
  });
});

describe('gzip', () => {
  const context = new CodecContext({ codec: codecOf('gzip'), pool: 'test', maxOutputBytes: LIMIT });

  it('reads several members as one input', async () => {
    const members = [text(10), text(0), text(70_000)];
    const output = await context.decompress(Buffer.concat(members.map((member) => zlib.gzipSync(member))));
    expect(output.equals(Buffer.concat(members))).toBe(true);
  });

  it('calls it truncated when the last of several members is', async () => {
    const input = Buffer.concat([zlib.gzipSync('first'), zlib.gzipSync('second').subarray(0, -3)]);
    await expect(context.decompress(input)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRUNCATED' });
  });

  it.each([
    { members: 'one member', input: zlib.gzipSync(text(2_000)) },
    { members: 'an empty member', input: zlib.gzipSync('') },
    { members: 'two members', input: Buffer.concat([zlib.gzipSync('first'), zlib.gzipSync(noise(9_000))]) },
  ])('tells a single byte behind $members from an input that was cut off', async ({ input }) => {
    for (const byte of [0x00, 0x01, 0x8b, 0xff]) {
      const longer = Buffer.concat([input, Buffer.of(byte)]);
      await expect(context.decompress(longer)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRAILING' });
    }
    await expect(context.decompress(input.subarray(0, -1))).rejects.toMatchObject({
      code: 'ERR_POOL_INPUT_TRUNCATED',
    });
  });

  it('takes the first byte of a header for one, for a member that was cut off', async () => {
    const input = Buffer.concat([zlib.gzipSync('first'), Buffer.of(0x1f)]);
    await expect(context.decompress(input)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRUNCATED' });
  });
});

describe('isAlgorithm', () => {
  it('knows the built-in names and everything that is shaped like a codec', () => {
    const codec = { name: 'mine', createCompressor: () => undefined, createDecompressor: () => undefined };
    expect(['gzip', 'deflate', 'deflate-raw', 'brotli', 'zstd', codec].every(isAlgorithm)).toBe(true);
  });

  it('knows nothing else', () => {
    const others = [
      'GZIP',
      'toString',
      '',
      undefined,
      null,
      6,
      {},
      { name: 'half', createCompressor: () => undefined },
    ];
    expect(others.some(isAlgorithm)).toBe(false);
  });
});
