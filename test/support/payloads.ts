import zlib from 'node:zlib';
import fc from 'fast-check';
import type { CompressionAlgorithm } from '../../lib/compression/codecs.js';
import { noise, random, text } from '../../lib/compression/payloads.fake.js';

/** The environment has more of it hunted through: `COMPRESSION_RUNS=2000 COMPRESSION_SEED=7 npm test -- test/compression`. */
export const hunt = (runs: number): { numRuns: number; seed: number } => ({
  numRuns: Number(process.env.COMPRESSION_RUNS ?? runs),
  seed: Number(process.env.COMPRESSION_SEED ?? 1),
});

/** Time for a property whose runs take a moment each, the slow ones of a hunt too. */
export const huntMs = (runs: number): number => 20_000 + hunt(runs).numRuns * 200;

/** What to compress, told by a few numbers, so that a failure shows them and not a megabyte. */
export interface Payload {
  readonly kind: keyof typeof KINDS;
  readonly bytes: number;
  readonly seed: number;
}

const KIB = 1_024;
const LARGEST = 3 * KIB * KIB;
const SEEDS = KIB * KIB;

/** A window of what is made once: to make megabytes anew for each run takes longer than to compress them. */
function windowsOf(make: (bytes: number) => Buffer) {
  let whole: Buffer | undefined;
  return (bytes: number, seed: number) => {
    whole ??= make(SEEDS + LARGEST);
    return Buffer.from(whole.subarray(seed, seed + bytes));
  };
}

const KINDS = {
  noise: windowsOf(noise),
  text: windowsOf(text),
  json: windowsOf((bytes) => Buffer.from(jsonOf(bytes)).subarray(0, bytes)),
  compressed: windowsOf((bytes) => Buffer.alloc(bytes, zlib.deflateRawSync(text(bytes), { level: 1 }))),
  zeros: (bytes: number) => Buffer.alloc(bytes),
  repeated: (bytes: number, seed: number) => Buffer.alloc(bytes, noise(1 + (seed % 300), seed)),
};

function jsonOf(bytes: number): string {
  const next = random(1);
  const records: object[] = [];
  for (let length = 0; length < bytes; length += 45)
    records.push({
      id: records.length,
      weight: next(),
      tags: ['ä', '日本', '🙂'].slice(Math.floor(next() * 3)),
    });
  return JSON.stringify(records);
}

export function bytesOfPayload({ kind, bytes, seed }: Payload): Buffer {
  return KINDS[kind](bytes, seed);
}

const BOUNDARIES = [16, 32, 64, 128].flatMap((kib) => [-1, 0, 1].map((more) => kib * KIB + more));

const sizes = {
  small: fc.oneof(fc.constantFrom(0, 1, 2, 3), fc.nat(300), fc.nat(5_000)),
  middling: fc.oneof(fc.constantFrom(...BOUNDARIES), fc.nat(200_000)),
  large: fc.integer({ min: KIB * KIB, max: LARGEST }),
};

function payloadsOf(bytes: fc.Arbitrary<number>): fc.Arbitrary<Payload> {
  const kinds = Object.keys(KINDS) as Payload['kind'][];
  return fc.record({ kind: fc.constantFrom(...kinds), bytes, seed: fc.nat(SEEDS) });
}

/** From nothing to 5 kB. */
export const smallPayloads = payloadsOf(sizes.small);

/** From nothing to 200 kB, often about a multiple of zlib's chunks. */
export const payloads = payloadsOf(fc.oneof(sizes.small, sizes.middling));

/** From nothing to 3 MiB. */
export const payloadsOfAnySize = payloadsOf(
  fc.oneof(
    { weight: 5, arbitrary: sizes.small },
    { weight: 5, arbitrary: sizes.middling },
    { weight: 1, arbitrary: sizes.large },
  ),
);

/** Where to cut an input of `length` bytes into chunks: some may be empty. */
export function cut(input: Buffer, places: readonly number[]): Buffer[] {
  const ends = places.map((place) => Math.floor(place * input.length)).sort((one, other) => one - other);
  return [...ends, input.length].map((end, index) => input.subarray(ends[index - 1] ?? 0, end));
}

/** Shares of the whole, for {@link cut}. */
export const cuts = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

/** What any other program with zlib does. */
export const ONE_SHOT: Record<CompressionAlgorithm, OneShot> = {
  gzip: { pack: zlib.gzipSync, unpack: zlib.gunzipSync },
  deflate: { pack: zlib.deflateSync, unpack: zlib.inflateSync },
  'deflate-raw': { pack: zlib.deflateRawSync, unpack: zlib.inflateRawSync },
  brotli: {
    // Not as hard as it can, which takes a hundred times as long.
    pack: (input) => zlib.brotliCompressSync(input, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 6 } }),
    unpack: zlib.brotliDecompressSync,
  },
  zstd: {
    // With a checksum, as the program zstd writes it.
    pack: (input) => zlib.zstdCompressSync(input, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } }),
    unpack: zlib.zstdDecompressSync,
  },
};

interface OneShot {
  readonly pack: (input: Uint8Array) => Buffer;
  readonly unpack: (input: Uint8Array) => Buffer;
}

/** The formats that carry a checksum of their content. */
export const CHECKED: ReadonlySet<CompressionAlgorithm> = new Set(['gzip', 'deflate', 'zstd']);

/** A skippable zstd frame, which is for others and holds nothing for us. */
export function skippableFrame(content: Uint8Array, kind = 0): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a50 + (kind & 15), 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}
