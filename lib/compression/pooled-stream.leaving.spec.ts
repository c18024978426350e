import { Duplex, PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Codec, CodecStream } from './codec.js';
import { CompressionPool } from './compression-pool.js';
import { gzip } from './deflate.codecs.js';
import { ZlibByHand } from './zlib-by-hand.fake.js';

const ENOUGH = new Error('enough');
const turn = () => new Promise((resolve) => setImmediate(resolve));

let pool: CompressionPool;
let made: ZlibByHand[];

function open(createCompressStream: () => CodecStream): void {
  const algorithm: Codec = { ...gzip, createCompressStream };
  pool = new CompressionPool('archive', { type: 'compression', algorithm, max: 1 });
}

beforeEach(() => {
  made = [];
  open(() => {
    const stream = new ZlibByHand();
    made.push(stream);
    return { stream, finish: (done) => stream.flush(done) };
  });
});

afterEach(async () => {
  jest.useRealTimers();
  for (const stream of made) stream.done();
  await pool.drain();
  expect(pool.stats()).toMatchObject({ size: 0, leased: 0 });
});

/** A stream whose first piece is worked on. */
async function begin() {
  const stream = pool.createCompress().on('error', () => undefined);
  stream.write('a piece');
  await turn();
  return stream;
}

describe('a stream that is destroyed while zlib works for it', () => {
  it('ends at once, and gives its context back when zlib rests', async () => {
    const stream = await begin();
    const closed = jest.fn();
    stream.on('close', closed).destroy(ENOUGH);
    await turn();
    expect(closed).toHaveBeenCalledTimes(1);
    expect(made[0]!.destroyed).toBe(false);
    expect(pool.stats()).toMatchObject({ leased: 1, idle: 0 });
    made[0]!.done();
    await turn();
    expect(made[0]!.destroyed).toBe(true);
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
  });

  it('does not delay whoever awaits a pipeline', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const source = Readable.from(['a piece'], { objectMode: false });
    const piping = pipeline(source, pool.createCompress({ signal }), new PassThrough());
    while (made[0]?.isAtWork !== true) await turn();
    controller.abort(ENOUGH);
    await expect(piping).rejects.toBe(ENOUGH);
    expect(pool.stats().leased).toBe(1);
  });

  it('has the next one wait, who gets the same context with another stream', async () => {
    (await begin()).destroy();
    const next = pool.createCompress().on('error', () => undefined);
    next.write('a piece');
    await turn();
    expect(pool.stats().waiting).toBe(1);
    made[0]!.push('a chunk');
    await turn();
    expect(made[0]!.destroyed).toBe(true);
    expect(made[1]!.isAtWork).toBe(true);
    expect(pool.stats()).toMatchObject({ leased: 1, created: 1, waiting: 0 });
    next.destroy();
  });

  it('is waited for by a drain', async () => {
    (await begin()).destroy();
    const drained = jest.fn();
    void pool.drain().then(drained);
    await turn();
    expect(drained).not.toHaveBeenCalled();
    made[0]!.done();
    await turn();
    expect(drained.mock.calls).toEqual([[expect.objectContaining({ clean: true, closeFailures: 0 })]]);
  });

  it('is waited for no longer than the deadlines of a drain, if zlib never rests', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    (await begin()).destroy();
    const draining = pool.drain({ timeoutMs: 1_000 });
    await jest.advanceTimersByTimeAsync(1_000 + 5_000); // its own, and that of closing a context
    expect(await draining).toMatchObject({ clean: false, closeFailures: 1 });
  });

  it('keeps no context where the stream of a codec of other making says nothing any more', async () => {
    const silent = { read: () => undefined, write: () => undefined, destroy: () => undefined };
    open(() => ({ stream: new Duplex(silent) }));
    for (let round = 0; round < 2; round++) (await begin()).destroy();
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1, created: 1 });
  });
});
