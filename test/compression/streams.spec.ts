import { once } from 'node:events';
import { Duplex, PassThrough, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { ReadableWritablePair } from 'node:stream/web';
import zlib from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { ALGORITHMS, noise, text } from '../../lib/compression/payloads.fake.js';
import { BOMBS } from '../support/payloads.bombs.js';
import {
  bytesOfPayload,
  CHECKED,
  cut,
  cuts,
  hunt,
  huntMs,
  ONE_SHOT,
  payloads,
  skippableFrame,
} from '../support/payloads.js';

const RUNS = 40;
jest.setTimeout(huntMs(RUNS));
const MIB = 2 ** 20;
const SAMPLE = text(3_000, 7);
const NOISE = noise(40 * MIB);

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let each = 0; each < count; each++) await turn();
}

/** Resolves when nothing has gone in or out for a while; or when so much has that it will not end. */
async function untilItRests(stream: { readonly bytesIn: number; readonly bytesOut: number }): Promise<void> {
  const whileMs = 50;
  let [moved, restsSince] = [-1, 0];
  do {
    if (moved !== stream.bytesIn + stream.bytesOut) restsSince = performance.now();
    moved = stream.bytesIn + stream.bytesOut;
    await turn();
  } while (performance.now() - restsSince < whileMs && moved < 32 * MIB);
}

/** Keeps what it is given, and takes each chunk only some turns of the event loop later. */
class Sink extends Writable {
  readonly #chunks: Buffer[] = [];
  readonly #turnsPerChunk: number;

  constructor(turnsPerChunk = 0) {
    super({ highWaterMark: 1 });
    this.#turnsPerChunk = turnsPerChunk;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    void turns(this.#turnsPerChunk).then(done);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** What comes out of `stream` when the chunks go in. */
async function through(stream: Duplex, chunks: Iterable<Buffer>, sink = new Sink()): Promise<Buffer> {
  await pipeline(Readable.from(chunks, { objectMode: false }), stream, sink);
  return sink.bytes;
}

describe.each(ALGORITHMS)('a stream of %s', (algorithm) => {
  const { pack, unpack } = ONE_SHOT[algorithm];
  let pool: CompressionPool;

  beforeEach(() => {
    pool = new CompressionPool(algorithm, { type: 'compression', algorithm, max: 2 });
  });

  afterEach(async () => {
    expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0 });
    expect(await pool.drain()).toMatchObject({ clean: true, closeFailures: 0 });
  });

  /** Whatever was done to them, the contexts serve both ways, in pieces and as a whole. */
  async function expectToServe(): Promise<void> {
    await turns(3);
    const packed = await through(pool.createCompress(), cut(SAMPLE, [0.3, 0.6]));
    expect((await through(pool.createDecompress(), cut(packed, [0.5]))).equals(SAMPLE)).toBe(true);
    expect((await pool.decompress(await pool.compress(SAMPLE))).equals(SAMPLE)).toBe(true);
    expect(pool.stats().size).toBeLessThanOrEqual(2);
  }

  it('gives back what it is given in whatever chunks, however slow its reader', async () => {
    const pace = fc.nat(3);
    const property = fc.asyncProperty(payloads, cuts, cuts, pace, async (payload, places, more, turns) => {
      const input = bytesOfPayload(payload);
      const compress = pool.createCompress();
      const packed = await through(compress, cut(input, places), new Sink(turns));
      expect(unpack(packed).equals(input)).toBe(true);
      expect(compress).toMatchObject({ bytesIn: input.length, bytesOut: packed.length });

      const decompress = pool.createDecompress();
      const output = await through(decompress, cut(packed, more), new Sink(turns));
      expect(output.equals(input)).toBe(true);
      expect(decompress).toMatchObject({ bytesIn: packed.length, bytesOut: input.length });
    });
    await fc.assert(property, hunt(RUNS));
    expect(pool.stats().destroyed).toBe(0);
  });

  it('feeds the other way while it is still fed', async () => {
    const input = Buffer.concat([text(MIB), noise(MIB)]);
    const sink = new Sink();
    const source = Readable.from(cut(input, [0.01, 0.2, 0.21, 0.9]), { objectMode: false });
    await pipeline(source, pool.createCompress(), pool.createDecompress(), sink);
    expect(sink.bytes.equals(input)).toBe(true);
  });

  it('takes one byte after the other', async () => {
    const input = text(2_000);
    const packed = await through(pool.createCompress(), bytewise(input));
    expect(unpack(packed).equals(input)).toBe(true);
    expect((await through(pool.createDecompress(), bytewise(packed))).equals(input)).toBe(true);
  });

  it('takes nothing at all', async () => {
    expect(unpack(await through(pool.createCompress(), []))).toHaveLength(0);
    expect(await through(pool.createDecompress(), [pack(Buffer.alloc(0))])).toHaveLength(0);
    await expect(through(pool.createDecompress(), [])).rejects.toMatchObject({
      code: 'ERR_POOL_INPUT_TRUNCATED',
    });
  });

  it('gives many streams at once, and calls between them, each their own', async () => {
    const calls = Array.from({ length: 60 }, async (_, call) => {
      const input = Buffer.concat([text(500 * call, call), noise(call, call)]);
      const packed = await through(pool.createCompress(), cut(input, [0.1, 0.5]));
      const [output, another] = await Promise.all([
        through(pool.createDecompress(), cut(packed, [0.7]), new Sink(call % 3)),
        pool.decompress(packed),
      ]);
      expect([output.equals(input), another.equals(input)]).toEqual([true, true]);
    });
    await Promise.all(calls);
    await expectToServe();
  });

  it('is read by for await, which may leave early', async () => {
    const input = noise(2 * MIB);
    const chunks: Buffer[] = [];
    for await (const chunk of pool.createCompress().end(input)) chunks.push(chunk as Buffer);
    expect(unpack(Buffer.concat(chunks)).equals(input)).toBe(true);

    for await (const chunk of pool.createCompress().end(input)) {
      expect(chunk).toBeInstanceOf(Buffer);
      break;
    }
    await expectToServe();
  });

  it('is a web stream by way of Node', async () => {
    const input = text(300_000);
    const [compress, decompress] = [pool.createCompress(), pool.createDecompress()].map(
      (stream) => Duplex.toWeb(stream) as unknown as ReadableWritablePair<Uint8Array, Uint8Array>,
    ) as [ReadableWritablePair, ReadableWritablePair];
    const source = Readable.toWeb(Readable.from(cut(input, [0.2, 0.4]), { objectMode: false }));
    const output = source.pipeThrough(compress).pipeThrough(decompress);
    expect((await buffer(output)).equals(input)).toBe(true);
    await expectToServe();
  });

  it('takes no more than it can pass on while nobody reads', async () => {
    const pieces = cut(
      NOISE,
      Array.from({ length: 600 }, (_, index) => index / 600),
    );
    const stream = Readable.from(pieces, { objectMode: false }).pipe(pool.createCompress());
    await untilItRests(stream);
    expect(stream.bytesIn).toBeLessThan(16 * MIB); // of 40; brotli takes a few before it gives out any
    expect(stream.readableLength).toBeLessThan(8 * MIB);
    stream.destroy();
    await once(stream, 'close');
    await expectToServe();
  });

  it('may be destroyed at any moment, from any end, and keeps no context', async () => {
    const packed = pack(text(200_000));
    const ends = fc.constantFrom('source', 'stream', 'sink', 'signal');
    const property = fc.asyncProperty(fc.boolean(), ends, fc.nat(40), async (compresses, end, moment) => {
      const controller = new AbortController();
      const { signal } = controller;
      const stream = compresses ? pool.createCompress({ signal }) : pool.createDecompress({ signal });
      const input = compresses ? text(200_000) : packed;
      const source = Readable.from(cut(input, [0.1, 0.2, 0.5]), { objectMode: false });
      const sink = new Sink(1);
      const piping = pipeline(source, stream, sink).catch((error: unknown) => error);
      await turns(moment);
      const reason = new Error('enough');
      if (end === 'signal') controller.abort(reason);
      else ({ source, stream, sink })[end].destroy(reason);
      const outcome = await piping;
      if (outcome === undefined) expect(sink.writableFinished).toBe(true);
      else expect([reason.message, 'Premature close']).toContain((outcome as Error).message);
      await turns(3);
      expect(pool.stats().leased).toBe(0);
    });
    await fc.assert(property, hunt(RUNS));
    await expectToServe();
  });

  it('fails with the error of its source, and keeps no context', async () => {
    function* broken(): Iterable<Buffer> {
      yield text(100_000);
      throw new Error('the disk is gone');
    }
    await expect(through(pool.createCompress(), broken())).rejects.toThrow('the disk is gone');
    await expectToServe();
  });

  it('is truncated wherever its input ends, however that is cut', async () => {
    const packed = pack(text(60));
    for (let length = 0; length < packed.length; length++) {
      for (const chunks of [[packed.subarray(0, length)], bytewise(packed.subarray(0, length))]) {
        await expect(through(pool.createDecompress(), chunks)).rejects.toMatchObject({
          code: 'ERR_POOL_INPUT_TRUNCATED',
        });
      }
    }
    await expectToServe();
  });

  it('is refused with bytes behind its end, in the same chunk or in a later one', async () => {
    const packed = pack(text(2_000));
    for (const tail of [Buffer.alloc(1), text(9), noise(70_000)]) {
      for (const chunks of [[Buffer.concat([packed, tail])], [packed, tail], [packed, ...bytewise(tail)]]) {
        await expect(through(pool.createDecompress(), chunks)).rejects.toMatchObject({
          code: 'ERR_POOL_INPUT_TRAILING',
        });
      }
    }
    await expectToServe();
  });

  it('is refused with any bit flipped, or read as any other program reads it', async () => {
    const content = text(60);
    const packed = pack(content);
    for (let bit = 0; bit < packed.length * 8; bit++) {
      const damaged = Buffer.from(packed);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const outcome: unknown = await through(pool.createDecompress(), cut(damaged, [0.5])).catch(
        (error: unknown) => error,
      );
      if (!Buffer.isBuffer(outcome)) expect(outcome).toMatchObject({ name: 'CompressionError' });
      else if (CHECKED.has(algorithm)) expect(outcome.equals(content)).toBe(true);
      else expect(outcome.equals(unpack(damaged))).toBe(true);
    }
    await expectToServe();
  });

  it('stops a bomb at the limit', async () => {
    const bomb = await BOMBS[algorithm]();
    const stream = pool.createDecompress({ maxOutputBytes: MIB });
    const sink = new Sink();
    await expect(pipeline(Readable.from([bomb]), stream, sink)).rejects.toMatchObject({
      code: 'ERR_POOL_OUTPUT_TOO_LARGE',
    });
    expect(sink.bytes.length).toBeLessThanOrEqual(MIB);
    await expectToServe();
  });

  it('does not drown a reader who takes his time in a bomb', async () => {
    const stream = pool.createDecompress();
    stream.write(await BOMBS[algorithm]());
    stream.pipe(new PassThrough()); // which nobody reads
    await untilItRests(stream);
    expect(stream.bytesOut).toBeLessThan(MIB);
    stream.destroy();
    await once(stream, 'close');
    await expectToServe();
  });

  it('ends with an error when the pool is drained and nobody ends it', async () => {
    const stream = pool.createCompress();
    stream.write(text(1_000));
    const [errors, report] = await Promise.all([once(stream, 'error'), pool.drain({ timeoutMs: 5 })]);
    expect(errors).toMatchObject([{ code: 'ERR_POOL_LEASE_BROKEN' }]);
    expect(report).toMatchObject({ clean: false });
    pool = new CompressionPool('next', { type: 'compression', algorithm });
  });
});

function* bytewise(input: Buffer): Iterable<Buffer> {
  for (let at = 0; at < input.length; at++) yield input.subarray(at, at + 1);
}

describe('a stream of several gzip members', () => {
  it('is one input, wherever it is cut', async () => {
    const pool = new CompressionPool('gzip', { type: 'compression', algorithm: 'gzip' });
    const parts = [text(50), Buffer.alloc(0), text(90_000, 2)];
    const packed = Buffer.concat(parts.map((part) => zlib.gzipSync(part)));
    const property = fc.asyncProperty(cuts, async (places) => {
      const output = await through(pool.createDecompress(), cut(packed, places));
      expect(output.equals(Buffer.concat(parts))).toBe(true);
    });
    await fc.assert(property, hunt(RUNS));
    await pool.drain();
  });
});

if (ALGORITHMS.includes('zstd')) {
  describe('a stream of several zstd frames', () => {
    it('is one input, wherever it is cut, with skippable frames among them', async () => {
      const pool = new CompressionPool('zstd', { type: 'compression', algorithm: 'zstd' });
      const parts = [text(50), Buffer.alloc(0), text(90_000, 2)];
      const frames = parts.flatMap((part, index) => [
        skippableFrame(text(index * 30), index),
        zlib.zstdCompressSync(part),
      ]);
      const packed = Buffer.concat([...frames, skippableFrame(noise(70_000))]);
      const property = fc.asyncProperty(cuts, async (places) => {
        const output = await through(pool.createDecompress(), cut(packed, places));
        expect(output.equals(Buffer.concat(parts))).toBe(true);
      });
      await fc.assert(property, hunt(RUNS));
      expect((await through(pool.createDecompress(), bytewise(packed))).length).toBe(90_050);
      await pool.drain();
    });
  });
}
