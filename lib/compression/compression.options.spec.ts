import { availableParallelism } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import type { Codec } from './codec.js';
import { gzip } from './deflate.codecs.js';
import {
  compressionOptionProblems,
  resolveCompressionPoolOptions,
  type CompressionPoolOptions,
} from './compression.options.js';
import { zstdDictionaryProblem, zstdProblem } from './zstd.codec.js';

const snappy: Codec = { ...gzip, name: 'snappy', levels: undefined, leastBlockBytes: undefined };

const resolve = (options: Partial<CompressionPoolOptions>) =>
  resolveCompressionPoolOptions('archive', { type: 'compression', algorithm: 'gzip', ...options });

const problems = (options: object) =>
  compressionOptionProblems({ type: 'compression', algorithm: 'gzip', ...options });

describe('the options of a compression pool', () => {
  it('have defaults: as many contexts as the machine works in parallel, and 256 MiB of output', () => {
    expect(resolve({})).toEqual({
      codec: gzip,
      level: undefined,
      limits: {
        maxOutputBytes: 268_435_456,
        maxStreamBytes: Infinity,
        maxInputBytes: 0,
        maxQueuedBytes: 268_435_456,
      },
      blocks: { aboveBytes: 4_194_304, blockBytes: 524_288 },
      pool: expect.objectContaining({ min: 0, max: availableParallelism() + 2, acquireTimeoutMs: 5_000 }),
    });
  });

  it('win over the defaults', () => {
    const limits = { maxOutputBytes: 10, maxInputBytes: 20, maxQueuedBytes: 0 };
    expect(resolve({ algorithm: snappy, ...limits, max: 3, min: 2 })).toMatchObject({
      codec: snappy,
      limits: { ...limits, maxStreamBytes: 10 },
      pool: { min: 2, max: 3 },
    });
  });

  it.each([
    { algorithm: 'gzip', levels: [-1, 9] },
    { algorithm: 'deflate', levels: [-1, 9] },
    { algorithm: 'deflate-raw', levels: [-1, 9] },
    { algorithm: 'brotli', levels: [0, 11] },
  ])('allow $algorithm the levels $levels', ({ algorithm, levels: [lowest = 0, highest = 0] }) => {
    const range = `level must be an integer from ${lowest} to ${highest}, got `;
    expect(problems({ algorithm, level: lowest })).toEqual([]);
    expect(problems({ algorithm, level: highest })).toEqual([]);
    expect(problems({ algorithm, level: lowest - 1 })).toEqual([`${range}${lowest - 1}`]);
    expect(problems({ algorithm, level: highest + 1 })).toEqual([`${range}${highest + 1}`]);
    expect(problems({ algorithm, level: 1.5 })).toEqual([`${range}1.5`]);
  });

  it('know the levels of zstd, and whether this Node has it', () => {
    const noZstd = zstdProblem() ?? [];
    expect(problems({ algorithm: 'zstd', level: -131_072 })).toEqual([noZstd].flat());
    expect(problems({ algorithm: 'zstd', level: 22 })).toEqual([noZstd].flat());
    expect(problems({ algorithm: 'zstd', level: 23 })).toEqual(
      ['level must be an integer from -131072 to 22, got 23', noZstd].flat(),
    );
  });

  it('allow no level where the codec has none', () => {
    expect(problems({ algorithm: snappy })).toEqual([]);
    expect(problems({ algorithm: snappy, level: 1 })).toEqual([
      'level must be left out, for snappy has no levels, got 1',
    ]);
  });

  it('cut large inputs as they are told, where outputs can be joined', () => {
    const never = { aboveBytes: Infinity, blockBytes: Infinity };
    const parallel = { aboveBytes: 100_000, blockBytes: 32_768 };
    expect(resolve({ parallel }).blocks).toEqual(parallel);
    expect(resolve({ parallel: { blockBytes: 16_384 } }).blocks).toEqual({
      aboveBytes: 4_194_304,
      blockBytes: 16_384,
    });
    expect(resolve({ parallel: false }).blocks).toEqual(never);
    for (const algorithm of ['deflate', 'deflate-raw', 'brotli', snappy] as const)
      expect(resolve({ algorithm, parallel }).blocks).toEqual(never);
    const cutShort = { ...snappy, leastBlockBytes: 1, joinsOnRequest: true };
    expect(resolve({ algorithm: cutShort }).blocks).toEqual(never);
    expect(resolve({ algorithm: cutShort, parallel: {} }).blocks).toEqual(resolve({}).blocks);
    const patient = { ...snappy, leastBlockBytes: 1_000_000 };
    expect(resolve({ algorithm: patient, parallel }).blocks).toEqual({ ...parallel, blockBytes: 1_000_000 });
  });

  it.each([[true], [{ aboveBytes: -1 }], [{ blockBytes: 16_383 }], [{ blocks: 3 }]])(
    'do not cut by %j',
    (parallel) => {
      expect(problems({ parallel })).toEqual([
        expect.stringContaining(
          'parallel must be false, or { aboveBytes, blockBytes } with integers >= 0 and >= 16384, got ',
        ),
      ]);
    },
  );

  it('take a dictionary where the algorithm does, and keep a copy of it', () => {
    const dictionary = Buffer.from('what inputs share');
    const resolved = resolve({ algorithm: 'deflate', dictionary }).dictionary;
    dictionary.fill(0);
    expect(resolved).toEqual(Uint8Array.from(Buffer.from('what inputs share')));
    expect(problems({ algorithm: 'deflate-raw', dictionary })).toEqual([]);
    expect(problems({ algorithm: 'zstd', dictionary })).toEqual(
      [zstdProblem() ?? zstdDictionaryProblem() ?? []].flat(),
    );
    for (const algorithm of ['gzip', 'brotli']) {
      expect(problems({ algorithm, dictionary })).toEqual([
        `dictionary must be left out, for ${algorithm} takes none; deflate, deflate-raw and zstd do, got an object`,
      ]);
    }
    const wanted = 'dictionary must be a Uint8Array (such as a Buffer) that is not empty, got ';
    expect(problems({ algorithm: 'deflate', dictionary: Buffer.alloc(0) })).toEqual([`${wanted}an object`]);
    expect(problems({ algorithm: 'deflate', dictionary: 'text' })).toEqual([`${wanted}a string`]);
  });

  it('must name an algorithm', () => {
    const wanted = 'algorithm must be one of gzip, deflate, deflate-raw, brotli, zstd, or a Codec, got ';
    expect(problems({ algorithm: 'gzipp', level: 3 })).toEqual([`${wanted}"gzipp"`]);
    expect(problems({ algorithm: undefined })).toEqual([`${wanted}undefined`]);
    expect(problems({ algorithm: { name: 'half' } })).toEqual([`${wanted}an object`]);
  });

  it('are refused with every problem at once, unknown options among them', () => {
    const wrong = { level: 12, maxOutputBytes: -1, maxInputBytes: 0.5, max: 0, compression: 6 };
    expect(() => resolve(wrong as object)).toThrow(
      expect.objectContaining({
        code: 'ERR_POOL_OPTIONS',
        pool: 'archive',
        problems: [
          'level must be an integer from -1 to 9, got 12',
          'maxOutputBytes must be an integer >= 0, got -1',
          'maxInputBytes must be an integer >= 0, got 0.5',
          'max must be an integer >= 1, got 0',
          'unknown option "compression"',
        ],
      }),
    );
  });

  it('are held against each other', () => {
    expect(problems({ min: 3, max: 2 })).toEqual(['min (3) must not be greater than max (2)']);
    expect(problems({ min: availableParallelism() + 3 })).toHaveLength(1);
  });

  it('must be there', () => {
    expect(() => resolveCompressionPoolOptions('archive', undefined as never)).toThrow(
      'the options must be an object',
    );
  });
});
