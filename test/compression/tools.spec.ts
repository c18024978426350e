import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { CompressionAlgorithm } from '../../lib/compression/codecs.js';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { noise, text } from '../../lib/compression/payloads.fake.js';
import { zstdProblem } from '../../lib/compression/zstd.codec.js';
import { ensureTools, runTool, type OutsideTool } from '../integration/outside-tools.js';
import { bytesOfPayload, hunt, huntMs, payloads, skippableFrame } from '../support/payloads.js';

/** The first run on a machine may have to install the programs. */
const INSTALL_WITHIN_MS = 5 * 60_000;

const RUNS = 8;
jest.setTimeout(huntMs(RUNS));

const ZSTD_PROBLEM = zstdProblem();

/** A program and the format it is told to write; what it reads, it finds out itself. */
interface Writer {
  readonly tool: OutsideTool;
  readonly args: readonly string[];
  readonly algorithm: CompressionAlgorithm;
  readonly levels: readonly number[];
}

const WRITERS: readonly Writer[] = [
  { tool: 'gzip', args: ['-c'], algorithm: 'gzip', levels: [0, 1, 9] },
  { tool: 'pigz', args: ['-c', '-b', '128', '-p', '2'], algorithm: 'gzip', levels: [0, 1, 9] },
  { tool: 'pigz', args: ['-c', '-z', '-b', '128', '-p', '2'], algorithm: 'deflate', levels: [0, 1, 9] },
  { tool: 'brotli', args: ['-c'], algorithm: 'brotli', levels: [0, 5, 11] },
  { tool: 'zstd', args: ['-c'], algorithm: 'zstd', levels: [-100, 1, 19, 22] },
];

const HERE = WRITERS.filter(({ algorithm }) => algorithm !== 'zstd' || ZSTD_PROBLEM === undefined);

const INPUTS = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('x'),
  text: text(50_000),
  'a megabyte of text': text(2 ** 20),
  noise: noise(300_000),
  zeros: Buffer.alloc(5_000_000),
};

beforeAll(() => ensureTools([...new Set(HERE.map(({ tool }) => tool))]), INSTALL_WITHIN_MS);

let pool: CompressionPool | undefined;
afterEach(() => pool?.drain());

function open(algorithm: CompressionAlgorithm, level?: number): CompressionPool {
  pool = new CompressionPool(algorithm, { type: 'compression', algorithm, level });
  return pool;
}

describe.each(HERE)('the program $tool, for $algorithm', ({ tool, args, algorithm, levels }) => {
  const write = (input: Uint8Array) => runTool(tool, args, input);
  const read = (packed: Uint8Array) => runTool(tool, ['-dc'], packed);

  it.each(Object.entries(INPUTS))('reads what the pool writes: %s', async (_, input) => {
    const pool = open(algorithm);
    // Twice from the same context: the second output must not depend on the first.
    for (const packed of [await pool.compress(input), await pool.compress(input)]) {
      expect((await read(packed)).equals(input)).toBe(true);
    }
  });

  it.each(Object.entries(INPUTS))('writes what the pool reads: %s', async (_, input) => {
    const output = await open(algorithm).decompress(await write(input));
    expect(output.equals(input)).toBe(true);
  });

  it('reads and writes any input as the pool does', async () => {
    const pool = open(algorithm);
    const property = fc.asyncProperty(payloads, async (payload) => {
      const input = bytesOfPayload(payload);
      const [packedHere, packedThere] = await Promise.all([pool.compress(input), write(input)]);
      const [readThere, readHere] = await Promise.all([read(packedHere), pool.decompress(packedThere)]);
      expect([readThere.equals(input), readHere.equals(input)]).toEqual([true, true]);
    });
    await fc.assert(property, hunt(RUNS));
  });

  it('reads every level', async () => {
    for (const level of levels) {
      const pool = open(algorithm, level);
      expect((await read(await pool.compress(INPUTS.text))).equals(INPUTS.text)).toBe(true);
      await pool.drain();
    }
  });

  it('agrees with the pool that a damaged input is none', async () => {
    const pool = open(algorithm);
    const packed = await pool.compress(INPUTS.text);
    const cutOff = packed.subarray(0, packed.length - 10);
    await expect(read(cutOff)).rejects.toThrow(`${tool} -dc ended with`);
    await expect(pool.decompress(cutOff)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRUNCATED' });
  });
});

describe('gzip', () => {
  it('is read as one input when several members stand in a row', async () => {
    const parts = [text(10), text(90_000)];
    const members = await Promise.all(parts.map((part) => runTool('gzip', ['-c'], part)));
    const output = await open('gzip').decompress(Buffer.concat(members));
    expect(output.equals(Buffer.concat(parts))).toBe(true);
  });
});

if (ZSTD_PROBLEM === undefined) {
  describe('zstd', () => {
    it('is read as one input when several frames stand in a row, skippable ones among them', async () => {
      const parts = [text(10), text(90_000), Buffer.alloc(0)];
      const frames = await Promise.all(parts.map((part) => runTool('zstd', ['-c'], part)));
      const packed = Buffer.concat([...frames, skippableFrame(text(30)), ...frames]);
      const output = await open('zstd').decompress(packed);
      expect(output.equals(await runTool('zstd', ['-dc'], packed))).toBe(true);
      expect(output.equals(Buffer.concat([...parts, ...parts]))).toBe(true);
    });

    it.each([
      ['--ultra', '-22'],
      ['--long=27'],
      ['--no-check'],
      ['--fast=5'],
      ['--no-content-size'],
      ['-T2', '-B131072'],
    ])('is read when it was written with %s', async (...args) => {
      const packed = await runTool('zstd', ['-c', ...args], INPUTS['a megabyte of text']);
      expect((await open('zstd').decompress(packed)).equals(INPUTS['a megabyte of text'])).toBe(true);
    });
  });
} else {
  describe('zstd, which this Node does not have', () => {
    it('is refused when the pool is made, with the Node it needs', () => {
      expect(() => open('zstd')).toThrow(ZSTD_PROBLEM);
      expect(ZSTD_PROBLEM).toMatch(
        /^zstd needs Node 22\.15 or later, of the 23 line 23\.8 or later; this is \d+\.\d+/,
      );
    });
  });
}
