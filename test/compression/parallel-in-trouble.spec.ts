import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { noise, text } from '../../lib/compression/payloads.fake.js';
import { inBlocksOf, JOINABLE } from '../support/joinable.js';
import { watched } from '../support/watched-codec.js';
import { hunt, huntMs } from '../support/payloads.js';
import { inPieces, Sink, through, turn, turns } from '../support/payloads.streams.js';

const RUNS = 120;
const MOST_CALLERS = 30;
jest.setTimeout(huntMs(RUNS));

/** Contents are windows of one text, or of noise, each somewhere else: no two callers have the same. */
const LARGEST = 400_000;
const STEP = 1_009;
const CONTENTS = {
  text: text(MOST_CALLERS * STEP + LARGEST),
  noise: noise(MOST_CALLERS * STEP + LARGEST),
};

const ENOUGH = new Error('enough');

const troubles = fc.oneof(
  { weight: 3, arbitrary: fc.constant('none' as const) },
  { weight: 4, arbitrary: fc.constantFrom('signal', 'source', 'stream', 'reader', 'deadline') },
);

/** One who compresses something, in one piece or as a stream, and what befalls him. */
interface Caller {
  readonly how: 'call' | 'stream';
  readonly kind: keyof typeof CONTENTS;
  readonly bytes: number;
  readonly pieceBytes: number;
  readonly pace: number;
  readonly comesAfter: number;
  readonly trouble: 'none' | 'signal' | 'source' | 'stream' | 'reader' | 'deadline';
  /** When it does: a stream has taken so large a share of its input, and then so many turns of the event loop later. */
  readonly share: number;
  readonly moment: number;
}

const callers: fc.Arbitrary<Caller> = fc.record({
  how: fc.constantFrom('call', 'stream'),
  kind: fc.constantFrom('text', 'noise'),
  bytes: fc.oneof(fc.nat(2_000), fc.integer({ min: 100_000, max: LARGEST }), fc.constant(LARGEST)),
  pieceBytes: fc.constantFrom(3_000, 16_384, 30_000, 65_536, LARGEST),
  pace: fc.nat(2),
  comesAfter: fc.nat(100),
  trouble: troubles,
  share: fc.constantFrom(0, 0.2, 0.5, 0.9),
  moment: fc.nat(30),
});

/** Some callers at once, and perhaps a drain among them. */
interface Storm {
  readonly max: number;
  readonly callers: readonly Caller[];
  readonly drain: { readonly moment: number; readonly timeoutMs: number } | undefined;
}

const few = fc.array(callers, { minLength: 1, maxLength: 4 });
const many = fc.array(callers, { minLength: 5, maxLength: MOST_CALLERS, size: 'max' });

const storms: fc.Arbitrary<Storm> = fc.record({
  max: fc.integer({ min: 1, max: 6 }),
  callers: fc.oneof(few, many),
  drain: fc.option(fc.record({ moment: fc.nat(400), timeoutMs: fc.constantFrom(0, 1, 5, 10_000) }), {
    nil: undefined,
    freq: 2,
  }),
});

/** What somebody got until it ended, and how it ended. */
interface Outcome {
  readonly packed: Buffer;
  readonly error?: unknown;
}

async function call(pool: CompressionPool, input: Buffer, caller: Caller): Promise<Outcome> {
  const controller = new AbortController();
  const timeoutMs = caller.trouble === 'deadline' ? 1 : 0;
  const calling = pool.compress(input, { signal: controller.signal, timeoutMs });
  if (caller.trouble === 'signal') void turns(caller.moment).then(() => controller.abort(ENOUGH));
  return calling.then(
    (packed) => ({ packed }),
    (error: unknown) => ({ packed: Buffer.alloc(0), error }),
  );
}

async function turnsUntil(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

async function pipe(pool: CompressionPool, input: Buffer, caller: Caller): Promise<Outcome> {
  const { pieceBytes, pace, trouble, share, moment } = caller;
  const controller = new AbortController();
  const source = Readable.from(inPieces(input, pieceBytes), { objectMode: false });
  const timeoutMs = trouble === 'deadline' ? 1 : 0;
  const stream = pool.createCompress({ signal: controller.signal, timeoutMs });
  const reader = new Sink(pace);
  const piping = pipeline(source, stream, reader);
  const isAt = () => stream.bytesIn >= share * input.length || stream.destroyed;
  const getIntoTrouble = () => {
    if (trouble === 'signal') controller.abort(ENOUGH);
    else if (trouble !== 'none' && trouble !== 'deadline')
      ({ source, stream, reader })[trouble].destroy(ENOUGH);
  };
  void turnsUntil(isAt)
    .then(() => turns(moment))
    .then(getIntoTrouble);
  return piping.then(
    () => ({ packed: reader.bytes }),
    (error: unknown) => ({ packed: reader.bytes, error }),
  );
}

const codeOf = (error: unknown) => (error as { code?: string }).code ?? '';

/** How something may end that was in trouble, or whose pool was drained. */
function mayEndWith(error: unknown, { trouble }: Caller, isDrained: boolean): boolean {
  if (error === ENOUGH) return trouble !== 'none';
  const code = codeOf(error);
  if (code === 'ERR_POOL_TIMEOUT') return trouble === 'deadline';
  if (code === 'ERR_STREAM_PREMATURE_CLOSE') return trouble !== 'none';
  return isDrained && ['ERR_POOL_CLOSED', 'ERR_POOL_LEASE_BROKEN'].includes(code);
}

async function untilAtRest(pool: CompressionPool): Promise<void> {
  await turnsUntil(() => pool.stats().leased === 0); // a helper may be at his last block
  expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0, queuedBytes: 0 });
}

describe.each(JOINABLE)('calls and streams of $algorithm, in blocks', ({ algorithm, unpack }) => {
  const seen = { served: 0, failed: 0, withBeginning: 0, drained: 0, helped: 0 };

  async function beOne(pool: CompressionPool, caller: Caller, index: number, isDrained: boolean) {
    const start = index * STEP;
    const input = Buffer.from(CONTENTS[caller.kind].subarray(start, start + caller.bytes));
    await turns(caller.comesAfter);
    const { packed, error } = await (caller.how === 'call' ? call : pipe)(pool, input, caller);
    if (error === undefined) {
      expect(unpack(packed).equals(input)).toBe(true);
      seen.served += 1;
      return;
    }
    if (!mayEndWith(error, caller, isDrained)) throw error as Error;
    const beginning = packed.length === 0 ? packed : unpack(packed, false);
    expect(input.subarray(0, beginning.length).equals(beginning)).toBe(true);
    seen.failed += 1;
    seen.withBeginning += beginning.length > 0 ? 1 : 0;
  }

  async function pass({ max, callers, drain }: Storm): Promise<void> {
    const codec = watched(inBlocksOf(algorithm));
    const pool = new CompressionPool('storm', {
      type: 'compression',
      algorithm: codec,
      max,
      parallel: { aboveBytes: 40_000, blockBytes: 16_384 },
    });
    const all = callers.map((caller, index) => beOne(pool, caller, index, drain !== undefined));
    if (drain !== undefined) {
      await turns(drain.moment);
      await pool.drain({ timeoutMs: drain.timeoutMs });
      seen.drained += 1;
    }
    await Promise.all(all);
    await untilAtRest(pool);
    seen.helped += pool.stats().acquired > callers.length ? 1 : 0;
    if (drain === undefined) await expectToServe(pool, max);
    expect(await pool.drain()).toMatchObject({ closeFailures: 0 });
    expect(pool.stats()).toMatchObject({ size: 0, leased: 0 });
    expect(codec.misuses).toEqual([]);
  }

  /** No context kept anything of what was given up. */
  async function expectToServe(pool: CompressionPool, max: number): Promise<void> {
    const inputs = Array.from({ length: 2 * max }, (_, index) => text(2_000, index));
    const asOne = await Promise.all(inputs.map((input) => pool.compress(input)));
    const asStreams = await Promise.all(inputs.map((input) => through(pool.createCompress(), [input])));
    for (const packed of [asOne, asStreams])
      packed.forEach((each, index) => expect(unpack(each).equals(inputs[index]!)).toBe(true));
  }

  it('get each their own, or an error of their own, and leave the pool as it was', async () => {
    await fc.assert(fc.asyncProperty(storms, pass), hunt(RUNS));
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  });
});
