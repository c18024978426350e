import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { CompressionError } from '../../lib/compression/compression.errors.js';
import { ALGORITHMS, noise, text } from '../../lib/compression/payloads.fake.js';
import {
  bytesOfPayload,
  CHECKED,
  hunt,
  huntMs,
  ONE_SHOT,
  skippableFrame,
  smallPayloads,
} from '../support/payloads.js';

const RUNS = 300;
jest.setTimeout(huntMs(RUNS));
const LIMIT = 1_000_000;

/** Small inputs for which the formats store, repeat and encode. */
const CONTENTS = {
  nothing: Buffer.alloc(0),
  noise: noise(40),
  text: text(200),
  zeros: Buffer.alloc(300),
};

/** What the caller before asked for, and must remain the only one to get. */
const ANOTHER = text(1_000, 99);

describe.each(ALGORITHMS)('%s', (algorithm) => {
  const { pack, unpack } = ONE_SHOT[algorithm];
  const another = pack(ANOTHER);
  let pool: CompressionPool;

  // A single context: whatever is spoiled would be met by the next call.
  beforeAll(() => {
    pool = new CompressionPool(algorithm, {
      type: 'compression',
      algorithm,
      max: 1,
      maxOutputBytes: LIMIT,
    });
  });

  afterAll(async () => {
    expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0, destroyed: 0, timeouts: 0 });
    expect(await pool.drain()).toMatchObject({ clean: true, closeFailures: 0 });
  });

  /** The output or the error, both for a caller who is not alone: the next one gets what is his. */
  async function outcomeOf(input: Uint8Array): Promise<Buffer | CompressionError> {
    const [outcome, next] = await Promise.all([
      pool.decompress(input).catch((error: unknown) => error),
      pool.decompress(another),
    ]);
    expect(next.equals(ANOTHER)).toBe(true);
    if (Buffer.isBuffer(outcome)) return outcome;
    expect(outcome).toBeInstanceOf(CompressionError);
    return outcome as CompressionError;
  }

  async function expectRefusal(input: Uint8Array, code: string | RegExp): Promise<void> {
    const outcome = await outcomeOf(input);
    expect(outcome).toMatchObject({ code: typeof code === 'string' ? code : expect.stringMatching(code) });
  }

  describe.each(Object.entries(CONTENTS))('of %s', (_, content) => {
    const packed = pack(content);

    it('is truncated wherever it is cut', async () => {
      for (let length = 0; length < packed.length; length++)
        await expectRefusal(packed.subarray(0, length), 'ERR_POOL_INPUT_TRUNCATED');
    });

    it('is refused with any bit flipped, or read as any other program reads it', async () => {
      const differing = new Set<number>();
      for (let bit = 0; bit < packed.length * 8; bit++) {
        const damaged = flipped(packed, bit);
        const outcome = await outcomeOf(damaged);
        if (!Buffer.isBuffer(outcome)) continue;
        expect(unpack(damaged).equals(outcome)).toBe(true);
        if (!outcome.equals(content)) differing.add(bit);
      }
      // What is left are bits that say nothing of the content, such as the time in the header of gzip.
      if (CHECKED.has(algorithm)) expect([...differing]).toEqual([]);
    });

    it('is refused with anything behind it', async () => {
      const tails = [Buffer.alloc(1), Buffer.alloc(512), Buffer.from('\n'), text(70_000), noise(3)];
      for (const tail of tails) await expectRefusal(Buffer.concat([packed, tail]), 'ERR_POOL_INPUT_TRAILING');
    });

    it('is refused without its first byte', async () => {
      const outcome = await outcomeOf(packed.subarray(1));
      if (CHECKED.has(algorithm)) expect(outcome).toBeInstanceOf(CompressionError);
      // Where nothing tells that it is another input, it must not be taken for the whole.
      else expect(Buffer.isBuffer(outcome) && outcome.length > 0 && outcome.equals(content)).toBe(false);
    });
  });

  it('takes nothing at all for an input that was cut off', async () => {
    await expectRefusal(Buffer.alloc(0), 'ERR_POOL_INPUT_TRUNCATED');
  });

  it('refuses every other format', async () => {
    const others = ALGORITHMS.filter((each) => each !== algorithm);
    for (const other of others) await expectRefusal(ONE_SHOT[other].pack(text(3_000)), /^ERR_POOL_INPUT_/);
  });

  it('refuses what is no format at all', async () => {
    for (const input of [text(5_000), Buffer.alloc(64, 0xff), Buffer.from('PK\x03\x04'), Buffer.from('{}')])
      await expectRefusal(input, /^ERR_POOL_INPUT_/);
  });

  it('refuses any bytes, or reads them as any other program does', async () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (input) => {
      const outcome = await outcomeOf(input);
      if (Buffer.isBuffer(outcome)) expect(unpack(input).equals(outcome)).toBe(true);
    });
    await fc.assert(property, hunt(RUNS));
  });

  it('refuses what was damaged anywhere in any way, or reads it as any other program does', async () => {
    const damages = fc.array(
      fc.record({ at: fc.float({ min: 0, max: 1, noNaN: true }), bytes: fc.uint8Array({ maxLength: 6 }) }),
      { minLength: 1, maxLength: 3 },
    );
    const property = fc.asyncProperty(smallPayloads, damages, async (payload, places) => {
      const damaged = pack(bytesOfPayload(payload));
      for (const { at, bytes } of places) {
        const start = Math.floor(at * damaged.length);
        damaged.set(bytes.subarray(0, damaged.length - start), start);
      }
      const outcome = await outcomeOf(damaged);
      if (Buffer.isBuffer(outcome)) expect(unpack(damaged).equals(outcome)).toBe(true);
    });
    await fc.assert(property, hunt(RUNS));
  });
});

function flipped(input: Buffer, bit: number): Buffer {
  const damaged = Buffer.from(input);
  damaged[bit >> 3]! ^= 1 << (bit & 7);
  return damaged;
}

describe('gzip of several members', () => {
  const members = [zlib.gzipSync(text(50)), zlib.gzipSync(''), zlib.gzipSync(text(300, 2))];
  const whole = Buffer.concat(members);
  const ends = members.map((_, index) => Buffer.concat(members.slice(0, index + 1)).length);
  let pool: CompressionPool;

  beforeAll(() => {
    pool = new CompressionPool('gzip', { type: 'compression', algorithm: 'gzip', max: 1 });
  });
  afterAll(() => pool.drain());

  it('is truncated wherever it is cut, but between two members', async () => {
    for (let length = 0; length < whole.length; length++) {
      const reading = pool.decompress(whole.subarray(0, length));
      if (ends.includes(length))
        expect((await reading).equals(zlib.gunzipSync(whole.subarray(0, length)))).toBe(true);
      else await expect(reading).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRUNCATED' });
    }
  });

  it('is refused with a damaged member in the middle, and with anything behind the last', async () => {
    const damaged = Buffer.concat([members[0]!, flipped(members[1]!, 8 * 12), members[2]!]);
    await expect(pool.decompress(damaged)).rejects.toBeInstanceOf(CompressionError);
    const longer = Buffer.concat([whole, text(30)]);
    await expect(pool.decompress(longer)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRAILING' });
    expect(await pool.decompress(whole)).toHaveLength(350);
  });
});

if (ALGORITHMS.includes('zstd')) {
  describe('zstd of several frames', () => {
    const frames = [
      skippableFrame(text(9)),
      zlib.zstdCompressSync(text(50)),
      skippableFrame(Buffer.alloc(0), 15),
      zlib.zstdCompressSync(text(300, 2)),
    ];
    const whole = Buffer.concat(frames);
    const ends = frames.map((_, index) => Buffer.concat(frames.slice(0, index + 1)).length);
    let pool: CompressionPool;

    beforeAll(() => {
      pool = new CompressionPool('zstd', { type: 'compression', algorithm: 'zstd', max: 1 });
    });
    afterAll(() => pool.drain());

    it('is truncated wherever it is cut, but between two frames', async () => {
      for (let length = 0; length < whole.length; length++) {
        const reading = pool.decompress(whole.subarray(0, length));
        if (ends.includes(length)) expect([0, 50]).toContain((await reading).length);
        else await expect(reading).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRUNCATED' });
      }
    });

    it('is refused with anything behind its last frame, a skippable one or not', async () => {
      for (const input of [whole, skippableFrame(text(9))]) {
        const longer = Buffer.concat([input, text(30)]);
        await expect(pool.decompress(longer)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRAILING' });
      }
      expect(await pool.decompress(whole)).toHaveLength(350);
    });

    it('is truncated when a frame says that it is larger than all there is', async () => {
      const endless = skippableFrame(text(9));
      endless.writeUInt32LE(0xffff_ffff, 4);
      await expect(pool.decompress(endless)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRUNCATED' });
    });
  });
}
