import { availableParallelism } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import type { Codec } from './codec.js';
import { gzip } from './deflate.codecs.js';
import {
  compressionOptionProblems,
  resolveCompressionPoolOptions,
  type CompressionPoolOptions,
} from './compression.options.js';
import { zstdProblem } from './zstd.codec.js';

const snappy: Codec = { ...gzip, name: 'snappy', levels: undefined };

const resolve = (options: Partial<CompressionPoolOptions>) =>
  resolveCompressionPoolOptions('archive', { type: 'compression', algorithm: 'gzip', ...options });

const problems = (options: object) =>
  compressionOptionProblems({ type: 'compression', algorithm: 'gzip', ...options });

describe('the options of a compression pool', () => {
  it('have defaults: as many contexts as the machine works in parallel, and 256 MiB of output', () => {
    expect(resolve({})).toEqual({
      codec: gzip,
      level: undefined,
      maxOutputBytes: 268_435_456,
      pool: expect.objectContaining({ min: 0, max: availableParallelism(), acquireTimeoutMs: 5_000 }),
    });
  });

  it('win over the defaults', () => {
    expect(resolve({ algorithm: snappy, maxOutputBytes: 10, max: 3, min: 2 })).toMatchObject({
      codec: snappy,
      maxOutputBytes: 10,
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

  it('must name an algorithm', () => {
    const wanted = 'algorithm must be one of gzip, deflate, deflate-raw, brotli, zstd, or a Codec, got ';
    expect(problems({ algorithm: 'gzipp', level: 3 })).toEqual([`${wanted}"gzipp"`]);
    expect(problems({ algorithm: undefined })).toEqual([`${wanted}undefined`]);
    expect(problems({ algorithm: { name: 'half' } })).toEqual([`${wanted}an object`]);
  });

  it('are refused with every problem at once, unknown options among them', () => {
    const wrong = { level: 12, maxOutputBytes: -1, max: 0, parallel: false };
    expect(() => resolve(wrong as object)).toThrow(
      expect.objectContaining({
        code: 'ERR_POOL_OPTIONS',
        pool: 'archive',
        problems: [
          'level must be an integer from -1 to 9, got 12',
          'maxOutputBytes must be an integer >= 0, got -1',
          'max must be an integer >= 1, got 0',
          'unknown option "parallel"',
        ],
      }),
    );
  });

  it('are held against each other', () => {
    expect(problems({ min: 3, max: 2 })).toEqual(['min (3) must not be greater than max (2)']);
    expect(problems({ min: availableParallelism() + 1 })).toHaveLength(1);
  });

  it('must be there', () => {
    expect(() => resolveCompressionPoolOptions('archive', undefined as never)).toThrow(
      'the options must be an object',
    );
  });
});
