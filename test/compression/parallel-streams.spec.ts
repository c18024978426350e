import { Readable } from 'node:stream';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import type { CompressionPoolOptions } from '../../lib/compression/compression.options.js';
import { ALGORITHMS, noise, text } from '../../lib/compression/payloads.fake.js';
import { ensureTools, runTool } from '../integration/outside-tools.js';
import { inBlocksOf, JOINABLE } from '../support/joinable.js';
import { bytesOfPayload, cut, cuts, hunt, huntMs, payloadsOfAnySize } from '../support/payloads.js';
import { inPieces, Sink, through, turn, turns, untilItRests } from '../support/payloads.streams.js';

/** The first run on a machine may have to install the programs. */
const INSTALL_WITHIN_MS = 5 * 60_000;

const RUNS = 40;
jest.setTimeout(huntMs(RUNS));
const KIB = 1_024;
const MIB = KIB * KIB;
const TEXT = text(12 * MIB);
const BLOCK = 16 * KIB;
const SMALL = { aboveBytes: 50_000, blockBytes: BLOCK };

let pool: CompressionPool;
afterEach(async () => {
  while (pool.stats().leased > 0) await turn(); // helpers at their last blocks
  expect(pool.stats()).toMatchObject({ waiting: 0, queuedBytes: 0 });
  expect(await pool.drain()).toMatchObject({ clean: true, closeFailures: 0 });
});

function open(
  algorithm: CompressionPoolOptions['algorithm'],
  options?: Partial<CompressionPoolOptions>,
): CompressionPool {
  pool = new CompressionPool('parallel', {
    type: 'compression',
    algorithm,
    max: 4,
    parallel: {},
    ...options,
  });
  return pool;
}

describe.each(JOINABLE)(
  'a large stream of $algorithm, compressed in blocks',
  ({ algorithm, tools, unpack }) => {
    beforeAll(() => ensureTools(tools), INSTALL_WITHIN_MS);

    it('gives back what it was given, in whatever pieces, from however many contexts, to however slow a reader', async () => {
      const shape = fc.record({
        payload: payloadsOfAnySize,
        places: cuts,
        more: cuts,
        max: fc.integer({ min: 1, max: 6 }),
        aboveBytes: fc.constantFrom(0, 1, BLOCK, 50_000),
        blockBytes: fc.constantFrom(BLOCK, BLOCK + 1, 100_000),
        pace: fc.nat(3),
      });
      let leases = 0;
      const property = fc.asyncProperty(
        shape,
        async ({ payload, places, more, max, aboveBytes, blockBytes, pace }) => {
          const input = bytesOfPayload(payload);
          open(inBlocksOf(algorithm), { max, parallel: { aboveBytes, blockBytes } });
          const stream = pool.createCompress();
          const packed = await through(stream, cut(input, places), new Sink(pace));
          expect(unpack(packed).equals(input)).toBe(true);
          expect(stream).toMatchObject({ bytesIn: input.length, bytesOut: packed.length });
          expect(pool.stats()).toMatchObject({ destroyed: 0, timeouts: 0 });
          expect(pool.stats().compressed).toMatchObject({ bytesIn: input.length, bytesOut: packed.length });

          const output = await through(pool.createDecompress(), cut(packed, more), new Sink(pace));
          expect(output.equals(input)).toBe(true);
          expect((await pool.decompress(packed)).equals(input)).toBe(true);
          leases += pool.stats().acquired - 3;
          expect(await pool.drain()).toMatchObject({ clean: true });
        },
      );
      await fc.assert(property, hunt(RUNS));
      expect(leases).toBeGreaterThan(0); // helpers came
    });

    it.each(tools)('is read by the program %s', async (tool) => {
      open(algorithm);
      const packed = await through(pool.createCompress(), inPieces(TEXT));
      expect(pool.stats().acquired).toBeGreaterThan(1);
      expect((await runTool(tool, ['-dc'], packed)).equals(TEXT)).toBe(true);
    });

    it('has no more than one byte in a hundred more than in one piece', async () => {
      const inBlocks = await through(open(algorithm).createCompress(), inPieces(TEXT));
      await pool.drain();
      const inOnePiece = await through(open(algorithm, { parallel: false }).createCompress(), inPieces(TEXT));
      expect(inBlocks.equals(inOnePiece)).toBe(false); // it was cut
      expect(inBlocks.length).toBeLessThanOrEqual(inOnePiece.length * 1.01);
    });

    it.each([
      ['up to the limit', { parallel: { aboveBytes: MIB, blockBytes: BLOCK } }],
      ['when it is switched off', { parallel: false as const }],
      ['where there is no other context', { max: 1, parallel: SMALL }],
    ])('is left in one piece %s', async (_, options) => {
      const input = TEXT.subarray(0, MIB);
      const expected = await through(open(algorithm, { parallel: false }).createCompress(), inPieces(input));
      await pool.drain();
      const packed = await through(open(inBlocksOf(algorithm), options).createCompress(), inPieces(input));
      expect(packed.equals(expected)).toBe(true);
    });

    it('goes on in blocks as soon as another context is free', async () => {
      open(inBlocksOf(algorithm), { max: 2, parallel: SMALL });
      const other = await pool.acquire();
      const stream = pool.createCompress();
      const output = through(stream, inPieces(TEXT));
      while (stream.bytesIn < MIB) await turn();
      expect(pool.stats().acquired).toBe(2);
      await other.release();
      expect(unpack(await output).equals(TEXT)).toBe(true);
      expect(pool.stats().acquired).toBeGreaterThan(2);
    });

    it('takes in no more than its contexts can work on and one block, as long as nobody reads', async () => {
      const max = 4;
      open(inBlocksOf(algorithm), { max, parallel: SMALL });
      const input = noise(4 * MIB);
      const stream = Readable.from(inPieces(input, 4 * KIB), { objectMode: false }).pipe(
        pool.createCompress(),
      );
      await untilItRests(stream);
      const inOnePiece = SMALL.aboveBytes + 4 * KIB + stream.readableHighWaterMark;
      expect(stream.bytesIn).toBeLessThanOrEqual(inOnePiece + (max + 2) * BLOCK);
      while (pool.stats().leased > 1) await turn(); // helpers do not wait for a reader
      const sink = new Sink();
      stream.pipe(sink);
      await new Promise((resolve) => sink.once('finish', resolve));
      expect(unpack(sink.bytes).equals(input)).toBe(true);
    });

    it('keeps nobody waiting until it is done', async () => {
      open(inBlocksOf(algorithm), { max: 2, parallel: SMALL });
      const stream = pool.createCompress();
      const large = through(stream, inPieces(TEXT));
      while (stream.bytesIn < SMALL.aboveBytes) await turn();
      for (let call = 0; call < 20; call++) {
        const input = text(1_000, call);
        expect(unpack(await pool.compress(input)).equals(input)).toBe(true);
        await turns(call % 4);
      }
      expect(stream.bytesIn).toBeLessThan(TEXT.length);
      expect(unpack(await large).equals(TEXT)).toBe(true);
    });

    it('ends well when its pool is drained meanwhile, by its own context alone', async () => {
      open(inBlocksOf(algorithm), { parallel: SMALL });
      const stream = pool.createCompress();
      const packing = through(stream, inPieces(TEXT));
      while (stream.bytesIn < MIB) await turn();
      const [packed, report] = await Promise.all([packing, pool.drain()]);
      expect(unpack(packed).equals(TEXT)).toBe(true);
      expect(report).toMatchObject({ clean: true });
    });
  },
);

describe.each(ALGORITHMS.filter((algorithm) => JOINABLE.every((each) => each.algorithm !== algorithm)))(
  'a large stream of %s',
  (algorithm) => {
    it('stays in one piece, since its outputs cannot be joined', async () => {
      const input = TEXT.subarray(0, MIB);
      const packed = await through(open(algorithm, { parallel: SMALL }).createCompress(), inPieces(input));
      expect(pool.stats().acquired).toBe(1);
      await pool.drain();
      const inOnePiece = open(algorithm, { parallel: false }).createCompress();
      expect(packed.equals(await through(inOnePiece, inPieces(input)))).toBe(true);
    });
  },
);
