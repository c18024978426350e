import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import zlib from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { CompressionError } from '../../lib/compression/compression.errors.js';
import { noise, random, text } from '../../lib/compression/payloads.fake.js';
import { trainDictionary } from '../../lib/compression/train-dictionary.js';
import { zstdDictionaryProblem, zstdProblem } from '../../lib/compression/zstd.codec.js';
import { ensureTools, runTool } from '../integration/outside-tools.js';
import { bytesOfPayload, cut, cuts, hunt, huntMs, payloads, smallPayloads } from '../support/payloads.js';

/** The first run on a machine may have to install the program. */
const INSTALL_WITHIN_MS = 5 * 60_000;

const RUNS = 60;
jest.setTimeout(huntMs(RUNS));

const HAS_ZSTD = (zstdProblem() ?? zstdDictionaryProblem()) === undefined;

type Algorithm = 'deflate' | 'deflate-raw' | 'zstd';
type Coding = (input: Uint8Array, options: { dictionary: Buffer }) => Buffer;

const ONE_SHOT: Record<Algorithm, { readonly pack: Coding; readonly unpack: Coding }> = {
  deflate: { pack: zlib.deflateSync, unpack: zlib.inflateSync },
  'deflate-raw': { pack: zlib.deflateRawSync, unpack: zlib.inflateRawSync },
  zstd: { pack: zlib.zstdCompressSync, unpack: zlib.zstdDecompressSync },
};
const HERE: readonly Algorithm[] = ['deflate', 'deflate-raw', ...(HAS_ZSTD ? (['zstd'] as const) : [])];

let pools: CompressionPool[] = [];
afterEach(async () => {
  const reports = await Promise.all(pools.map((pool) => pool.drain()));
  expect(reports.every(({ clean, closeFailures }) => clean && closeFailures === 0)).toBe(true);
  pools = [];
});

function open(algorithm: Algorithm, dictionary?: Uint8Array): CompressionPool {
  const pool = new CompressionPool(algorithm, { type: 'compression', algorithm, dictionary, max: 2 });
  pools.push(pool);
  return pool;
}

/** What is common to them is in every one of them, what is not is short. */
function records(count: number, seed: number): Buffer[] {
  const next = random(seed);
  const number = (below: number) => Math.floor(next() * below);
  return Array.from({ length: count }, () =>
    Buffer.from(
      JSON.stringify({
        id: number(1e9),
        status: ['open', 'paid', 'shipped'][number(3)],
        customer: { email: `user${number(1e5)}@example.org`, country: ['DE', 'FR', 'IT'][number(3)] },
        createdAt: new Date(1.7e12 + number(1e9)).toISOString(),
        tags: ['wholesale', 'express-delivery', 'gift-wrapped'].slice(number(3)),
      }),
    ),
  );
}

const RECORDS = records(300, 1);
const DICTIONARY = trainDictionary(RECORDS, { maxBytes: 4_096 });

describe.each(HERE)('%s with a dictionary', (algorithm) => {
  const { pack, unpack } = ONE_SHOT[algorithm];

  it('gives back what it was given, and is read and written by the one-shot functions, whatever the dictionary', async () => {
    const dictionaries = payloads.map((of) => Buffer.concat([bytesOfPayload(of), Buffer.from('end')]));
    const property = fc.asyncProperty(dictionaries, fc.array(payloads), async (dictionary, series) => {
      const pool = open(algorithm, dictionary);
      // Several in a row: a context must not forget its dictionary.
      for (const input of series.map(bytesOfPayload)) {
        const packed = await pool.compress(input);
        expect(unpack(packed, { dictionary }).equals(input)).toBe(true);
        expect((await pool.decompress(packed)).equals(input)).toBe(true);
        expect((await pool.decompress(pack(input, { dictionary }))).equals(input)).toBe(true);
      }
      await pool.drain();
    });
    await fc.assert(property, hunt(RUNS));
  });

  it('streams what it is given in whatever chunks', async () => {
    const pool = open(algorithm, DICTIONARY);
    const property = fc.asyncProperty(payloads, cuts, async (payload, places) => {
      const input = bytesOfPayload(payload);
      const chunks = (bytes: Buffer) => Readable.from(cut(bytes, places), { objectMode: false });
      const packed = await buffer(chunks(input).pipe(pool.createCompress()));
      expect(unpack(packed, { dictionary: DICTIONARY }).equals(input)).toBe(true);
      expect((await buffer(chunks(packed).pipe(pool.createDecompress()))).equals(input)).toBe(true);
      expect((await pool.decompress(packed)).equals(input)).toBe(true);
    });
    await fc.assert(property, hunt(RUNS));
  });

  it('reads what was compressed without one', async () => {
    const pool = open(algorithm, DICTIONARY);
    const property = fc.asyncProperty(smallPayloads, async (payload) => {
      const input = bytesOfPayload(payload);
      const packed = await open(algorithm).compress(input);
      expect((await pool.decompress(packed)).equals(input)).toBe(true);
    });
    await fc.assert(property, hunt(RUNS));
  });

  it('keeps the dictionary it was given, whatever becomes of that', async () => {
    const given = Buffer.from(DICTIONARY);
    const pool = open(algorithm, given);
    given.fill(0);
    const packed = await pool.compress(RECORDS[0]!);
    given.fill(1);
    expect(unpack(packed, { dictionary: DICTIONARY }).equals(RECORDS[0]!)).toBe(true);
    expect((await pool.decompress(packed)).equals(RECORDS[0]!)).toBe(true);
  });

  it('makes records it was trained on, and such as it never saw, less than half as large', async () => {
    const [without, withDictionary] = [open(algorithm), open(algorithm, DICTIONARY)];
    for (const each of [RECORDS, records(300, 2)]) {
      const bytes = async (pool: CompressionPool) => {
        const packed = await Promise.all(each.map((record) => pool.compress(record)));
        return packed.reduce((sum, { length }) => sum + length, 0);
      };
      expect(await bytes(withDictionary)).toBeLessThan((await bytes(without)) / 2);
    }
  });

  it('refuses what was compressed with another one, or at least gives something else, and serves on', async () => {
    const other = trainDictionary(records(300, 3).map((record) => record.toString().toUpperCase()));
    const [pool, theirs] = [open(algorithm, DICTIONARY), open(algorithm, other)];
    for (const record of records(100, 4)) {
      const packed = await theirs.compress(record.toString().toUpperCase());
      const outcome: unknown = await pool.decompress(packed).catch((error: unknown) => error);
      if (algorithm === 'deflate-raw' && Buffer.isBuffer(outcome))
        expect(outcome.toString()).not.toBe(record.toString().toUpperCase());
      else expect(outcome).toBeInstanceOf(CompressionError);
      if (algorithm === 'deflate') expect(outcome).toMatchObject({ code: 'ERR_POOL_INPUT_DICTIONARY' });
      if (algorithm === 'zstd') expect((outcome as Error).message).toContain('dictionary');
      expect((await pool.decompress(await pool.compress(record))).equals(record)).toBe(true);
    }
  });

  it('is no input for a pool without one', async () => {
    const [pool, plain] = [open(algorithm, DICTIONARY), open(algorithm)];
    for (const record of RECORDS.slice(0, 50)) {
      await expect(plain.decompress(await pool.compress(record))).rejects.toBeInstanceOf(CompressionError);
    }
    if (algorithm !== 'deflate') return;
    const packed = await pool.compress(RECORDS[0]!);
    await expect(plain.decompress(packed)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_DICTIONARY' });
    await expect(buffer(Readable.from([packed]).pipe(plain.createDecompress()))).rejects.toMatchObject({
      code: 'ERR_POOL_INPUT_DICTIONARY',
    });
  });
});

describe('trainDictionary', () => {
  it('makes no more than it may of whatever samples, or says that they have nothing in common', () => {
    const samples = fc.array(
      smallPayloads.map((payload) => bytesOfPayload(payload)),
      { maxLength: 30 },
    );
    const property = fc.property(samples, fc.integer({ min: 256, max: 5_000 }), (given, maxBytes) => {
      const before = given.map((sample) => Buffer.from(sample));
      const dictionary = trained(given, maxBytes);
      expect(given.every((sample, index) => sample.equals(before[index]!))).toBe(true);
      if (dictionary === undefined) return;
      expect(dictionary.length).toBeGreaterThan(0);
      expect(dictionary.length).toBeLessThanOrEqual(maxBytes);
      expect(trained(given, maxBytes)).toEqual(dictionary);
      const input = Buffer.concat(given);
      const packed = zlib.deflateRawSync(input, { dictionary });
      expect(zlib.inflateRawSync(packed, { dictionary }).equals(input)).toBe(true);
    });
    fc.assert(property, hunt(RUNS));
  });

  it('makes the better one the more it may keep, as far as there is something to keep', () => {
    const fresh = records(200, 5);
    const bytes = [256, 1_024, 4_096].map((maxBytes) => {
      const dictionary = trainDictionary(RECORDS, { maxBytes });
      return fresh.reduce((sum, record) => sum + zlib.deflateSync(record, { dictionary }).length, 0);
    });
    expect(bytes).toEqual([...bytes].sort((one, other) => other - one));
  });

  it('takes strings and every kind of view', () => {
    const strings = RECORDS.map((record) => record.toString());
    const views = RECORDS.map((record) => new DataView(Uint8Array.from(record).buffer));
    expect(trainDictionary(strings, { maxBytes: 4_096 }).equals(DICTIONARY)).toBe(true);
    expect(trainDictionary(views, { maxBytes: 4_096 }).equals(DICTIONARY)).toBe(true);
  });
});

function trained(samples: readonly Buffer[], maxBytes: number): Buffer | undefined {
  try {
    return trainDictionary(samples, { maxBytes });
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_POOL_DICTIONARY' });
    return undefined;
  }
}

if (HAS_ZSTD) {
  describe('the program zstd', () => {
    let directory: string;
    beforeAll(async () => {
      await ensureTools(['zstd']);
      directory = await mkdtemp(join(tmpdir(), 'dictionary-'));
    }, INSTALL_WITHIN_MS);
    afterAll(() => rm(directory, { recursive: true }));

    it('reads what the pool wrote with a dictionary, and writes what the pool reads', async () => {
      const pool = open('zstd', DICTIONARY);
      const path = join(directory, 'ours');
      await writeFile(path, DICTIONARY);
      for (const input of [RECORDS[0]!, text(100_000), noise(500), Buffer.alloc(0)]) {
        const packed = await pool.compress(input);
        expect((await runTool('zstd', ['-dc', '-D', path], packed)).equals(input)).toBe(true);
        const packedThere = await runTool('zstd', ['-c', '-D', path], input);
        expect((await pool.decompress(packedThere)).equals(input)).toBe(true);
      }
    });

    it('trains dictionaries of its own kind, which the pool takes as well', async () => {
      const [samples, path] = [join(directory, 'samples'), join(directory, 'theirs')];
      await mkdir(samples);
      await Promise.all(RECORDS.map((record, index) => writeFile(join(samples, `${index}`), record)));
      const args = ['--train', '-q', '-r', samples, '--maxdict=2048', '-o', path];
      await runTool('zstd', args, Buffer.alloc(0));
      const theirs = await readFile(path);
      const pool = open('zstd', theirs);
      const packed = await Promise.all(RECORDS.map((record) => pool.compress(record)));
      const outputs = await Promise.all(packed.map((each) => pool.decompress(each)));
      expect(outputs.every((output, index) => output.equals(RECORDS[index]!))).toBe(true);
      await expect(open('zstd', DICTIONARY).decompress(packed[0]!)).rejects.toMatchObject({
        code: 'ERR_POOL_INPUT_DICTIONARY',
      });
      await expect(open('zstd').decompress(packed[0]!)).rejects.toMatchObject({
        code: 'ERR_POOL_INPUT_DICTIONARY',
      });
    });
  });
}
