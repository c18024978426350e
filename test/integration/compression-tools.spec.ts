import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { noise, text } from '../../lib/compression/payloads.fake.js';
import { zstdProblem } from '../../lib/compression/zstd.codec.js';
import { ensureTools, runTool, type OutsideTool } from './outside-tools.js';

/** The first run on a machine may have to install the programs. */
const INSTALL_WITHIN_MS = 5 * 60_000;

const ZSTD_PROBLEM = zstdProblem();

const HERE: readonly OutsideTool[] = [
  'gzip',
  'brotli',
  ...(ZSTD_PROBLEM === undefined ? (['zstd'] as const) : []),
];

const INPUTS = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('x'),
  text: text(50_000),
  'a megabyte of text': text(2 ** 20),
  noise: noise(300_000),
  zeros: Buffer.alloc(5_000_000),
};

beforeAll(() => ensureTools(HERE), INSTALL_WITHIN_MS);

let pool: CompressionPool;
afterEach(() => pool.drain());

const open = (algorithm: OutsideTool, level?: number) => {
  pool = new CompressionPool(algorithm, { type: 'compression', algorithm, level });
  return pool;
};

describe.each(HERE)('the program %s', (tool) => {
  it.each(Object.entries(INPUTS))('reads what the pool writes: %s', async (_, input) => {
    open(tool);
    // Twice from the same context: the second output must not depend on the first.
    for (const packed of [await pool.compress(input), await pool.compress(input)]) {
      expect((await runTool(tool, ['-dc'], packed)).equals(input)).toBe(true);
    }
  });

  it.each(Object.entries(INPUTS))('writes what the pool reads: %s', async (_, input) => {
    open(tool);
    const packed = await runTool(tool, ['-c'], input);
    expect((await pool.decompress(packed)).equals(input)).toBe(true);
  });

  it('reads every level', async () => {
    const levels = { gzip: [0, 1, 9], brotli: [0, 5, 11], zstd: [-100, 1, 19, 22] }[tool];
    for (const level of levels) {
      const packed = await open(tool, level).compress(INPUTS.text);
      expect((await runTool(tool, ['-dc'], packed)).equals(INPUTS.text)).toBe(true);
      await pool.drain();
    }
  });

  it('agrees with the pool that a damaged input is none', async () => {
    open(tool);
    const packed = await pool.compress(INPUTS.text);
    const cutOff = packed.subarray(0, packed.length - 10);
    await expect(runTool(tool, ['-dc'], cutOff)).rejects.toThrow(`${tool} -dc ended with`);
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
    it('is read as one input when several frames stand in a row', async () => {
      const parts = [text(10), text(90_000), Buffer.alloc(0)];
      const frames = await Promise.all(parts.map((part) => runTool('zstd', ['-c'], part)));
      const output = await open('zstd').decompress(Buffer.concat(frames));
      expect(output.equals(Buffer.concat(parts))).toBe(true);
    });

    it.each([['--ultra', '-22'], ['--long=27'], ['--no-check'], ['--fast=5'], ['--no-content-size']])(
      'is read when it was written with %s',
      async (...args) => {
        const packed = await runTool('zstd', ['-c', ...args], INPUTS['a megabyte of text']);
        expect((await open('zstd').decompress(packed)).equals(INPUTS['a megabyte of text'])).toBe(true);
      },
    );
  });
} else {
  describe('zstd, which this Node does not have', () => {
    it('is refused when the pool is made, with the Node it needs', () => {
      open('gzip');
      expect(() => open('zstd')).toThrow(ZSTD_PROBLEM);
      expect(ZSTD_PROBLEM).toMatch(
        /^zstd needs Node 22\.15 or later, of the 23 line 23\.8 or later; this is \d+\.\d+/,
      );
    });
  });
}
