import { once, type EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import zlib from 'node:zlib';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ONE_SHOT } from '../../test/support/payloads.js';
import { unpackSoFar } from '../../test/support/payloads.so-far.js';
import type { Codec } from './codec.js';
import { CompressionPool } from './compression-pool.js';
import type { CompressionPoolOptions } from './compression.options.js';
import { ALGORITHMS, noise, text } from './payloads.fake.js';
import type { PooledStream } from './pooled-stream.js';

let pool: CompressionPool;
afterEach(async () => {
  await pool.drain({ timeoutMs: 0 });
  expect(pool.stats()).toMatchObject({ size: 0, leased: 0, waiting: 0 });
});

function open(options: Partial<CompressionPoolOptions> = {}): CompressionPool {
  pool = new CompressionPool('events', { type: 'compression', algorithm: 'gzip', max: 1, ...options });
  return pool;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

const AN_ERROR: unknown = expect.objectContaining({ message: expect.any(String) });

const closed = (stream: EventEmitter) => once(stream, 'close');

/** Rejects if the flush is called back with an error. */
const flushed = (stream: PooledStream) =>
  new Promise<void>((resolve, reject) => stream.flush((error) => (error ? reject(error) : resolve())));

/** All that has come out by the time it is called. */
function collected(stream: PooledStream): () => Buffer {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}

describe.each(ALGORITHMS)('a stream of %s that is flushed', (algorithm) => {
  const { unpack } = ONE_SHOT[algorithm];

  it('has given out all that was written before, and goes on', async () => {
    open({ algorithm });
    const stream = pool.createCompress();
    const output = collected(stream);
    let input = Buffer.alloc(0);
    for (const piece of [text(1), text(40), noise(70_000), Buffer.alloc(300_000), text(20_000, 2)]) {
      stream.write(piece);
      await flushed(stream);
      input = Buffer.concat([input, piece]);
      expect(unpackSoFar(algorithm, output()).equals(input)).toBe(true);
    }
    stream.end('the end');
    await closed(stream);
    expect(unpack(output()).equals(Buffer.concat([input, Buffer.from('the end')]))).toBe(true);
    expect(stream.bytesOut).toBe(output().length);
  });

  it('gives the same bytes however often it is flushed where nothing has come between', async () => {
    open({ algorithm });
    const outputs: Buffer[] = [];
    for (const flushes of [1, 10]) {
      const stream = pool.createCompress();
      const output = collected(stream);
      for (const piece of ['one', 'two']) {
        stream.write(piece);
        for (let flush = 0; flush < flushes; flush++) {
          stream.flush();
          stream.write('');
        }
      }
      stream.end();
      await closed(stream);
      outputs.push(output());
    }
    expect(outputs[0]).toEqual(outputs[1]);
  });

  it('leaves a context to the next one as good as new', async () => {
    open({ algorithm });
    const input = text(50_000);
    const expected = await buffer(pool.createCompress().end(input));
    for (const ending of ['end', 'destroy'] as const) {
      const stream = pool.createCompress();
      stream.resume();
      stream.write(noise(10_000));
      await flushed(stream);
      stream[ending]();
      await closed(stream);
      expect(await buffer(pool.createCompress().end(input))).toEqual(expected);
    }
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });
});

describe('flush()', () => {
  it('keeps its place among the writes, where nobody waits for it', async () => {
    open();
    const stream = pool.createCompress();
    const output = collected(stream);
    const seen: string[] = [];
    for (const piece of ['one ', 'two ', 'three ']) {
      stream.write(piece);
      stream.flush(() => seen.push(unpackSoFar('gzip', output()).toString()));
    }
    stream.end('four');
    await closed(stream);
    expect(seen).toEqual(['one ', 'one two ', 'one two three ']);
    expect(zlib.gunzipSync(output()).toString()).toBe('one two three four');
  });

  it('takes no context where there is nothing to flush', async () => {
    open();
    const stream = pool.createCompress();
    await flushed(stream);
    expect(pool.stats()).toMatchObject({ size: 0, acquired: 0 });
    expect(stream.bytesOut).toBe(0);
    stream.destroy();
  });

  it('is called back with the end of a stream that is ending, and at once when that has ended', async () => {
    open();
    const stream = pool.createCompress();
    const seen: string[] = [];
    stream.end(noise(100_000));
    stream.flush((error) => seen.push(`flushed ${String(error)}`));
    stream.on('end', () => seen.push('end'));
    await turn();
    expect(seen).toEqual([]);
    await buffer(stream);
    await flushed(stream);
    expect(seen.sort()).toEqual(['end', 'flushed undefined']);
  });

  it('is called back at once where all was written, though it was not read yet', async () => {
    open();
    const stream = pool.createCompress().end('a byte');
    await once(stream, 'finish');
    await flushed(stream);
    expect(stream.readableEnded).toBe(false);
    await buffer(stream);
  });

  it('waits for a reader as long as more is ready than the stream keeps for him', async () => {
    open();
    const stream = pool.createCompress();
    const callback = jest.fn();
    stream.write(noise(400_000));
    stream.flush(callback);
    for (let turns = 0; turns < 200; turns++) await turn();
    expect(callback).not.toHaveBeenCalled();
    const output = collected(stream);
    await flushed(stream);
    expect(callback.mock.calls).toHaveLength(1);
    expect(unpackSoFar('gzip', output()).equals(noise(400_000))).toBe(true);
    stream.destroy();
  });

  it('is refused once the stream is destroyed', async () => {
    open();
    const stream = pool.createCompress();
    stream.destroy();
    await expect(flushed(stream)).rejects.toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
  });

  it.each([
    { moment: 'it waits for a context', isBusy: true, turns: 1, ends: false },
    { moment: 'what is before it is worked on', isBusy: false, turns: 1, ends: false },
    { moment: 'nobody reads', isBusy: false, turns: 100, ends: false },
    { moment: 'the stream is ending', isBusy: false, turns: 1, ends: true },
  ])('is called back once, with an error, when the stream is destroyed while $moment', async (at) => {
    open();
    const other = pool.createCompress();
    if (at.isBusy) other.write('a byte');
    await turn();
    for (const reason of [new Error('the client went away'), undefined]) {
      const stream = pool.createCompress();
      stream.on('error', () => undefined);
      const [written, ...callbacks] = [jest.fn(), jest.fn(), jest.fn()] as const;
      stream.write(noise(400_000), written);
      if (at.ends) stream.end();
      for (const callback of callbacks) stream.flush(callback);
      for (let turns = 0; turns < at.turns; turns++) await turn();
      stream.destroy(reason);
      await turn();
      for (const { mock } of callbacks) expect(mock.calls).toEqual([[reason ?? AN_ERROR]]);
      expect(written).toHaveBeenCalledTimes(1);
    }
    other.destroy();
    await turn();
  });

  it('is called back once, with an error, when the stream is destroyed while it is under way', async () => {
    open();
    for (const reason of [new Error('the client went away'), undefined]) {
      const stream = pool.createCompress();
      stream.on('error', () => undefined);
      await new Promise((resolve) => stream.write('a byte', resolve));
      const callback = jest.fn();
      stream.flush(callback);
      stream.destroy(reason);
      for (let turns = 0; turns < 20; turns++) await turn();
      expect(callback.mock.calls).toEqual([[reason ?? AN_ERROR]]);
      expect(stream.errored).toBe(reason ?? null);
    }
  });

  it('is called back with the error that ends the stream by itself', async () => {
    open();
    const stream = pool.createCompress();
    stream.on('error', () => undefined);
    stream.write(noise(400_000));
    const flushing = expect(flushed(stream)).rejects.toMatchObject({ code: 'ERR_POOL_LEASE_BROKEN' });
    await turn();
    await pool.drain({ timeoutMs: 0 });
    await flushing;
  });

  it('does nothing but wait for its turn where the stream decompresses', async () => {
    open();
    const stream = pool.createDecompress();
    const output = collected(stream);
    stream.write(zlib.gzipSync('what was written before'));
    await flushed(stream);
    expect(output().toString()).toBe('what was written before');
    stream.end();
    await closed(stream);
  });

  it('makes a stream fail whose codec cannot do it, and says so', async () => {
    const coder = () => ({
      run: (input: Uint8Array) => Promise.resolve(Buffer.from(input)),
      close: () => Promise.resolve(),
    });
    const algorithm: Codec = {
      name: 'plain',
      createCompressor: coder,
      createDecompressor: coder,
      createCompressStream: () => ({ stream: new PassThrough() }),
    };
    open({ algorithm });
    const stream = pool.createCompress();
    stream.on('error', () => undefined);
    stream.write('a byte');
    await expect(flushed(stream)).rejects.toMatchObject({
      code: 'ERR_POOL_COMPRESSION_FAILED',
      message: '[pool "events"] plain failed: it cannot flush',
    });
    expect(stream.destroyed).toBe(true);
  });
});

describe('a large stream that is flushed', () => {
  const parallel = { aboveBytes: 50_000, blockBytes: 20_000 };

  it('gives out the block that is not full yet', async () => {
    open({ max: 3, parallel });
    const stream = pool.createCompress();
    const output = collected(stream);
    const input = noise(130_000);
    stream.write(input.subarray(0, 60_000));
    let written = 60_000;
    for (const end of [115_000, 115_001, 129_000, 130_000]) {
      stream.write(input.subarray(written, end));
      await flushed(stream);
      expect(unpackSoFar('gzip', output()).equals(input.subarray(0, end))).toBe(true);
      written = end;
    }
    expect(pool.stats().acquired).toBeGreaterThan(1);
    stream.end();
    await closed(stream);
    expect(zlib.gunzipSync(output()).equals(input)).toBe(true);
  });

  it('stays in one piece where it was flushed before it was large', async () => {
    open({ max: 3, parallel });
    const stream = pool.createCompress();
    stream.resume();
    stream.write('a byte');
    await flushed(stream);
    for (let piece = 0; piece < 20; piece++) stream.write(noise(20_000, piece));
    await flushed(stream);
    expect(pool.stats().acquired).toBe(1);
    stream.destroy();
  });
});
