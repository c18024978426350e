import zlib from 'node:zlib';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { CompressionAlgorithm } from '../../lib/compression/codecs.js';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { ALGORITHMS } from '../../lib/compression/payloads.fake.js';
import {
  bytesOfPayload,
  cut,
  cuts,
  hunt,
  huntMs,
  ONE_SHOT,
  payloads,
  payloadsOfAnySize,
  skippableFrame,
  smallPayloads,
  type Payload,
} from '../support/payloads.js';

const RUNS = 120;
jest.setTimeout(huntMs(RUNS));

/** Those that make megabytes in no time, and all. */
const LEVELS: Record<CompressionAlgorithm, { quick: [number, number]; all: [number, number] }> = {
  gzip: { quick: [0, 6], all: [0, 9] },
  deflate: { quick: [0, 6], all: [0, 9] },
  'deflate-raw': { quick: [0, 6], all: [0, 9] },
  brotli: { quick: [0, 5], all: [0, 11] },
  zstd: { quick: [-100, 5], all: [-131_072, 22] },
};

interface Leveled {
  readonly level: number | undefined;
  readonly payload: Payload;
}

function leveled(algorithm: CompressionAlgorithm): fc.Arbitrary<Leveled> {
  const within = ([min, max]: [number, number]) => fc.option(fc.integer({ min, max }), { nil: undefined });
  const { quick, all } = LEVELS[algorithm];
  return fc.oneof(
    fc.record({ level: within(quick), payload: payloadsOfAnySize }),
    fc.record({ level: within(all), payload: smallPayloads }),
  );
}

let pool: CompressionPool;
afterEach(() => pool.drain());

function open(algorithm: CompressionAlgorithm, level?: number): CompressionPool {
  pool = new CompressionPool(algorithm, { type: 'compression', algorithm, level, max: 2 });
  return pool;
}

describe.each(ALGORITHMS)('%s', (algorithm) => {
  const { pack, unpack } = ONE_SHOT[algorithm];

  it('gives back whatever it is given at whatever level, and is read by the one-shot function', async () => {
    const property = fc.asyncProperty(leveled(algorithm), async ({ level, payload }) => {
      const input = bytesOfPayload(payload);
      const before = Buffer.from(input);
      open(algorithm, level);
      const packed = await pool.compress(input);

      expect(unpack(packed).equals(before)).toBe(true);
      const output = await pool.decompress(packed);
      expect(output.equals(before)).toBe(true);
      expect(input.equals(before)).toBe(true);
      for (const owner of [packed, output]) expect(owner.buffer.byteLength).toBe(owner.length);
      await pool.drain();
    });
    await fc.assert(property, hunt(RUNS));
  });

  it('gives each of many inputs its own output, whatever went through the same contexts before', async () => {
    open(algorithm);
    const property = fc.asyncProperty(fc.array(payloads, { maxLength: 8 }), async (series) => {
      const inputs = series.map(bytesOfPayload);
      const packed = await Promise.all(inputs.map((input) => pool.compress(input)));
      const outputs = await Promise.all(packed.map((each) => pool.decompress(each)));
      expect(packed.every((each, index) => unpack(each).equals(inputs[index]!))).toBe(true);
      expect(outputs.every((each, index) => each.equals(inputs[index]!))).toBe(true);
    });
    await fc.assert(property, hunt(RUNS));
  });

  it('gives the same output for the same input, from a new context and from one that was used', async () => {
    const property = fc.asyncProperty(payloads, payloads, async (payload, other) => {
      const input = bytesOfPayload(payload);
      open(algorithm);
      const fresh = await pool.compress(input);
      await pool.compress(bytesOfPayload(other));
      expect((await pool.compress(input)).equals(fresh)).toBe(true);
      await pool.drain();
    });
    await fc.assert(property, hunt(RUNS));
  });

  it('reads what the one-shot function writes', async () => {
    open(algorithm);
    const property = fc.asyncProperty(payloads, async (payload) => {
      const input = bytesOfPayload(payload);
      expect((await pool.decompress(pack(input))).equals(input)).toBe(true);
    });
    await fc.assert(property, hunt(RUNS));
  });

  it('takes the bytes of every kind of view, and those only', async () => {
    open(algorithm);
    const property = fc.asyncProperty(
      smallPayloads,
      fc.nat(64),
      fc.constantFrom(...VIEWS),
      async (payload, offset, viewOf) => {
        const input = bytesOfPayload(payload);
        const { view, bytes } = viewOf(input, offset * 8);
        const packed = await pool.compress(view);
        expect(unpack(packed).equals(bytes)).toBe(true);
        const { view: packedView, bytes: packedBytes } = viewOf(packed, offset * 8);
        if (packedBytes.length === packed.length)
          expect((await pool.decompress(packedView)).equals(bytes)).toBe(true);
      },
    );
    await fc.assert(property, hunt(RUNS));
  });

  it('takes every string as UTF-8', async () => {
    open(algorithm);
    const property = fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), async (string) => {
      expect((await pool.decompress(await pool.compress(string))).toString()).toBe(string);
    });
    await fc.assert(property, hunt(RUNS));
  });

  it('takes a string with half a surrogate pair as Buffer.from() does', async () => {
    open(algorithm);
    expect(unpack(await pool.compress('half: \ud83d')).toString()).toBe('half: \ufffd');
  });
});

/** A view of `input` inside of a larger buffer, and the bytes it shows: all but a rest that does not fill a number. */
type ViewOf = (
  input: Buffer,
  offset: number,
) => { readonly view: ArrayBufferView | ArrayBufferLike; readonly bytes: Buffer };

function inside<B extends ArrayBufferLike>(buffer: B, input: Buffer, offset: number): B {
  new Uint8Array(buffer).fill(0xa5).set(input, offset);
  return buffer;
}

const numbers =
  (Numbers: Uint16ArrayConstructor | Float64ArrayConstructor | BigUint64ArrayConstructor): ViewOf =>
  (input, offset) => {
    const length = Math.floor(input.length / Numbers.BYTES_PER_ELEMENT);
    const bytes = input.subarray(0, length * Numbers.BYTES_PER_ELEMENT);
    const buffer = inside(new ArrayBuffer(offset + input.length + 64), input, offset);
    return { view: new Numbers(buffer, offset, length), bytes };
  };

const VIEWS: readonly ViewOf[] = [
  numbers(Uint16Array),
  numbers(Float64Array),
  numbers(BigUint64Array),
  (input, offset) => {
    const buffer = inside(new ArrayBuffer(offset + input.length + 64), input, offset);
    return { view: new DataView(buffer, offset, input.length), bytes: input };
  },
  (input, offset) => {
    const buffer = inside(new SharedArrayBuffer(offset + input.length + 64), input, offset);
    return { view: new Uint8Array(buffer, offset, input.length), bytes: input };
  },
  (input) => ({ view: inside(new SharedArrayBuffer(input.length), input, 0), bytes: input }),
  (input) => ({ view: inside(new ArrayBuffer(input.length), input, 0), bytes: input }),
];

/** One input in several pieces, each packed by itself. */
const inPieces = fc.tuple(payloads, cuts).map(([payload, places]) => cut(bytesOfPayload(payload), places));

describe('gzip', () => {
  it('reads any number of members as one input, whatever tells about them in their headers', async () => {
    open('gzip');
    const property = fc.asyncProperty(inPieces, async (pieces) => {
      const members = pieces.map((piece, index) => withName(zlib.gzipSync(piece), `part ${index}`));
      expect((await pool.decompress(Buffer.concat(members))).equals(Buffer.concat(pieces))).toBe(true);
    });
    await fc.assert(property, hunt(RUNS));
  });

  it('reads ten thousand members', async () => {
    const member = zlib.gzipSync('x');
    const output = await open('gzip').decompress(Buffer.alloc(member.length * 10_000, member));
    expect(output.toString()).toBe('x'.repeat(10_000));
  });
});

/** The member with a file's name in its header, as the program gzip writes it. */
function withName(member: Buffer, name: string): Buffer {
  const header = Buffer.from(member.subarray(0, 10));
  header[3] = 0x08;
  return Buffer.concat([header, Buffer.from(`${name}\0`, 'latin1'), member.subarray(10)]);
}

if (ALGORITHMS.includes('zstd')) {
  describe('zstd', () => {
    it('reads any number of frames as one input, with skippable ones before, between and behind them', async () => {
      open('zstd');
      const skippable = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined });
      const skippables = fc.array(skippable, { minLength: 14, maxLength: 14 });
      const property = fc.asyncProperty(inPieces, skippables, async (pieces, between) => {
        const packed = [Buffer.alloc(0), ...pieces.map((piece) => zlib.zstdCompressSync(piece))];
        const frames = packed.flatMap((frame, index) => {
          const content = between[index];
          return content === undefined ? [frame] : [frame, skippableFrame(content, index)];
        });
        const output = await pool.decompress(Buffer.concat(frames));
        expect(output.equals(Buffer.concat(pieces))).toBe(true);
      });
      await fc.assert(property, hunt(RUNS));
    });

    it('reads ten thousand frames', async () => {
      const frame = zlib.zstdCompressSync('x');
      const output = await open('zstd').decompress(Buffer.alloc(frame.length * 10_000, frame));
      expect(output.toString()).toBe('x'.repeat(10_000));
    });
  });
}
