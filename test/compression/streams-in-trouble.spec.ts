import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CODECS } from '../../lib/compression/codecs.js';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { ALGORITHMS, noise, text } from '../../lib/compression/payloads.fake.js';
import { counted } from '../support/counted-codec.js';
import { BOMBS } from '../support/payloads.bombs.js';
import { CHECKED, cut, hunt, huntMs, ONE_SHOT } from '../support/payloads.js';
import {
  bytewise,
  expectToServe,
  Sink,
  through,
  turns,
  untilAllIsBack,
  untilItRests,
} from '../support/payloads.streams.js';

const RUNS = 40;
jest.setTimeout(huntMs(RUNS));
const MIB = 2 ** 20;
const NOISE = noise(40 * MIB);

describe.each(ALGORITHMS)('a stream of %s in trouble', (algorithm) => {
  const { pack, unpack } = ONE_SHOT[algorithm];
  let pool: CompressionPool;

  beforeEach(() => {
    pool = new CompressionPool(algorithm, { type: 'compression', algorithm, max: 2 });
  });

  afterEach(async () => {
    expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0 });
    expect(await pool.drain()).toMatchObject({ clean: true, closeFailures: 0 });
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
    await expectToServe(pool);
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
      await untilAllIsBack(pool);
    });
    await fc.assert(property, hunt(RUNS));
    await expectToServe(pool);
  });

  it.each(['createCompress', 'createDecompress'] as const)(
    'from %s() keeps its context as long as zlib works for it, though it was given up',
    async (create) => {
      const max = 2;
      const codec = counted(CODECS[algorithm]);
      const crowded = new CompressionPool('crowded', { type: 'compression', algorithm: codec, max });
      const piece = create === 'createCompress' ? NOISE.subarray(0, 300_000) : pack(text(1_000_000));
      const giveUp = async ({ moment, isRead }: { moment: number; isRead: boolean }) => {
        const stream = crowded[create]().on('error', () => undefined);
        if (isRead) stream.resume();
        stream.write(piece);
        await turns(moment);
        stream.destroy(new Error('enough'));
        expect(crowded.stats().leased).toBeLessThanOrEqual(max);
      };
      const moments = fc.record({ moment: fc.nat(40), isRead: fc.boolean() });
      const callers = Array.from({ length: 3 * max }, (_, seed) => fc.sample(moments, { seed, numRuns: 50 }));
      await Promise.all(
        callers.map(async (streams) => {
          for (const stream of streams) await giveUp(stream);
        }),
      );
      expect(crowded.stats().acquired).toBeGreaterThan(callers.length);
      expect(codec.mostAlive).toBe(max);
      expect(await crowded.drain()).toMatchObject({ clean: true, closeFailures: 0 });
      expect(codec.countAlive()).toBe(0);
    },
  );

  it('fails with the error of its source, and keeps no context', async () => {
    function* broken(): Iterable<Buffer> {
      yield text(100_000);
      throw new Error('the disk is gone');
    }
    await expect(through(pool.createCompress(), broken())).rejects.toThrow('the disk is gone');
    await expectToServe(pool);
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
    await expectToServe(pool);
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
    await expectToServe(pool);
  });

  it('is refused with bytes behind its end also where its reader comes late, and spoils no stream after it', async () => {
    for (const bytes of [16_384, 65_536, 131_072]) {
      const packed = pack(noise(bytes));
      for (const tail of [Buffer.alloc(1), text(9)]) {
        for (const chunks of [[Buffer.concat([packed, tail])], [packed, tail]]) {
          const stream = pool.createDecompress().on('error', () => undefined);
          for (const chunk of chunks) stream.write(chunk);
          stream.end();
          await untilItRests(stream);
          await expect(buffer(stream)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRAILING' });
          await expectToServe(pool);
        }
      }
    }
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
    await expectToServe(pool);
  });

  it('stops a bomb at the limit', async () => {
    const bomb = await BOMBS[algorithm]();
    const stream = pool.createDecompress({ maxOutputBytes: MIB });
    const sink = new Sink();
    await expect(pipeline(Readable.from([bomb]), stream, sink)).rejects.toMatchObject({
      code: 'ERR_POOL_OUTPUT_TOO_LARGE',
    });
    expect(sink.bytes.length).toBeLessThanOrEqual(MIB);
    await expectToServe(pool);
  });

  it('does not drown a reader who takes his time in a bomb', async () => {
    const stream = pool.createDecompress();
    stream.write(await BOMBS[algorithm]());
    stream.pipe(new PassThrough()); // which nobody reads
    await untilItRests(stream);
    expect(stream.bytesOut).toBeLessThan(MIB);
    stream.destroy();
    await once(stream, 'close');
    await expectToServe(pool);
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
