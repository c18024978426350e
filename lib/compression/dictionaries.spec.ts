import zlib from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { CompressionAlgorithm } from './codecs.js';
import { CompressionPool } from './compression-pool.js';
import { random } from './payloads.fake.js';
import { trainDictionary } from './train-dictionary.js';
import { zstdDictionaryProblem, zstdProblem } from './zstd.codec.js';

const ALGORITHMS: readonly CompressionAlgorithm[] = [
  'deflate',
  'deflate-raw',
  ...((zstdProblem() ?? zstdDictionaryProblem()) === undefined ? (['zstd'] as const) : []),
];

/** Small JSON of one kind, each with values of its own. */
function orders(count: number, seed: number): string[] {
  const next = random(seed);
  const number = (below: number) => Math.floor(next() * below);
  return Array.from({ length: count }, () =>
    JSON.stringify({
      id: `order_${number(1e9).toString(36)}`,
      status: ['pending', 'shipped', 'delivered', 'cancelled'][number(4)],
      customer: { id: number(1e6), country: ['DE', 'FR', 'GB'][number(3)], newsletter: number(2) === 0 },
      items: [
        {
          sku: `SKU-${number(1e4)}`,
          quantity: number(9),
          price: { amount: number(1e5) / 100, currency: 'EUR' },
        },
      ],
      createdAt: new Date(1.7e12 + number(1e9)).toISOString(),
    }),
  );
}

const pools: CompressionPool[] = [];
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.drain())));

function open(algorithm: CompressionAlgorithm, dictionary?: Uint8Array): CompressionPool {
  const pool = new CompressionPool('orders', { type: 'compression', algorithm, dictionary, max: 2 });
  pools.push(pool);
  return pool;
}

const dictionary = trainDictionary(orders(300, 1), { maxBytes: 8_192 });

describe.each(ALGORITHMS)('%s with a dictionary', (algorithm) => {
  it('makes small JSON less than half as large as without, and gives it back, whole and in pieces', async () => {
    const [with_, without] = [open(algorithm, dictionary), open(algorithm)];
    let [withBytes, withoutBytes] = [0, 0];
    for (const order of orders(50, 2)) {
      const packed = await with_.compress(order);
      withBytes += packed.length;
      withoutBytes += (await without.compress(order)).length;
      expect((await with_.decompress(packed)).toString()).toBe(order);
      const inPieces = await buffer(with_.createCompress().end(order));
      expect((await with_.decompress(inPieces)).toString()).toBe(order);
      expect((await buffer(with_.createDecompress().end(packed))).toString()).toBe(order);
    }
    expect(withBytes).toBeLessThan(withoutBytes / 2);
  });

  it('reads what was compressed without it', async () => {
    const packed = await open(algorithm).compress('no dictionary');
    expect((await open(algorithm, dictionary).decompress(packed)).toString()).toBe('no dictionary');
  });
});

describe('a wrong dictionary', () => {
  const other = trainDictionary(orders(300, 3), { maxBytes: 4_096 });

  it.each(ALGORITHMS.filter((algorithm) => algorithm !== 'deflate-raw'))(
    'is an error for %s, whole and in pieces',
    async (algorithm) => {
      const [order = ''] = orders(1, 2);
      const packed = await open(algorithm, dictionary).compress(order);
      const wrong = open(algorithm, other);
      const code = algorithm === 'zstd' ? 'ERR_POOL_INPUT_CORRUPT' : 'ERR_POOL_INPUT_DICTIONARY';
      const message: unknown = expect.stringContaining('compressed with a');
      await expect(wrong.decompress(packed)).rejects.toMatchObject({ code, message });
      await expect(buffer(wrong.createDecompress().end(packed))).rejects.toMatchObject({ code, message });
      const none = open(algorithm);
      await expect(none.decompress(packed)).rejects.toMatchObject({ code });
    },
  );
});

describe('trainDictionary', () => {
  it('keeps to its size, and owns its memory', () => {
    for (const maxBytes of [256, 1_000, 32_768, 1_000_000]) {
      const { length, buffer } = trainDictionary(orders(200, 1), { maxBytes });
      expect(length).toBeLessThanOrEqual(maxBytes);
      expect(length).toBeGreaterThan(Math.min(maxBytes, 4_000) * 0.9);
      expect(buffer.byteLength).toBe(length);
    }
  });

  it('gives every kind of sample its place, and more than the last samples would', () => {
    const kinds = [
      orders(100, 1),
      Array.from({ length: 100 }, (_, id) => `<user id="${id}" active="true" role="reader"/>`),
    ];
    const samples = kinds.flat();
    const [trained, last] = [
      trainDictionary(samples, { maxBytes: 2_048 }),
      Buffer.from(samples.join('')).subarray(-2_048),
    ];
    const sizeWith = (dictionary: Buffer) =>
      [...orders(50, 5), '<user id="777" active="false" role="reader"/>']
        .map((text) => zlib.deflateSync(text, { dictionary }).length)
        .reduce((sum, bytes) => sum + bytes);
    expect(sizeWith(trained)).toBeLessThan(sizeWith(last) * 0.7);
  });

  it('gives the same dictionary for the same samples', () => {
    expect(trainDictionary(orders(50, 1)).equals(trainDictionary(orders(50, 1)))).toBe(true);
  });

  it('takes strings and bytes of every kind', () => {
    const samples = orders(20, 1);
    const bytes = samples.map((sample) => Uint8Array.from(Buffer.from(sample)).buffer);
    expect(trainDictionary(bytes).equals(trainDictionary(samples))).toBe(true);
  });

  it('finds nothing in samples that have nothing in common', () => {
    for (const samples of [[], [''], ['only one, and one only, is only one'], ['short', 'also', 'short']]) {
      expect(() => trainDictionary(samples)).toThrow(
        expect.objectContaining({ code: 'ERR_POOL_DICTIONARY' }),
      );
    }
  });

  it('refuses what makes no sense', () => {
    expect(() => trainDictionary(orders(9, 1), { maxBytes: 255 })).toThrow(
      'maxBytes must be an integer >= 256',
    );
    expect(() => trainDictionary([42 as never])).toThrow(
      expect.objectContaining({ code: 'ERR_POOL_INPUT_TYPE' }),
    );
  });
});
