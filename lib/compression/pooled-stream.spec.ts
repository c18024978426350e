import { Duplex, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
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
  pool = new CompressionPool('archive', { type: 'compression', algorithm: 'gzip', max: 1, ...options });
  return pool;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** `input` in pieces of so many bytes. */
function* inPieces(input: Uint8Array, bytes: number): Iterable<Uint8Array> {
  for (let start = 0; start < input.length; start += bytes) yield input.subarray(start, start + bytes);
}

async function through(stream: Duplex, pieces: Iterable<Uint8Array | string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await pipeline(Readable.from(pieces, { objectMode: false }), stream, async (source) => {
    for await (const chunk of source) chunks.push(chunk as Buffer);
  });
  return Buffer.concat(chunks);
}

/** Resolves with the error that the stream ends with. */
const failureOf = (stream: PooledStream) =>
  new Promise<Error>((resolve, reject) => {
    stream.once('error', resolve);
    stream.once('end', () => reject(new Error('the stream ended well')));
    stream.resume();
  });

describe.each(ALGORITHMS)('streams of %s', (algorithm) => {
  it.each([
    { bytes: 0, pieceBytes: 1 },
    { bytes: 1, pieceBytes: 1 },
    { bytes: 3_000, pieceBytes: 7 },
    { bytes: 65_536, pieceBytes: 65_536 },
    { bytes: 1_000_003, pieceBytes: 100_000 },
  ])('give back $bytes bytes in pieces of $pieceBytes', async ({ bytes, pieceBytes }) => {
    open({ algorithm });
    for (const input of [text(bytes), noise(bytes), Buffer.alloc(bytes)]) {
      const packed = await through(pool.createCompress(), inPieces(input, pieceBytes));
      expect((await pool.decompress(packed)).equals(input)).toBe(true);
      const output = await through(pool.createDecompress(), inPieces(packed, pieceBytes));
      expect(output.equals(input)).toBe(true);
    }
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0, idle: 1 });
  });

  it('say that an input is truncated wherever it is cut', async () => {
    open({ algorithm });
    const packed = await pool.compress(text(60));
    for (let length = 0; length < packed.length; length++) {
      const output = through(pool.createDecompress(), inPieces(packed.subarray(0, length), 9));
      await expect(output).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRUNCATED' });
    }
    expect(await through(pool.createDecompress(), [packed])).toHaveLength(60);
  });

  it('refuse bytes behind the end, however they are cut', async () => {
    open({ algorithm });
    const packed = await pool.compress(text(2_000));
    for (const tail of [Buffer.from('some more'), Buffer.alloc(1)]) {
      const input = Buffer.concat([packed, tail]);
      for (const pieces of [[input], [packed, tail], inPieces(input, 5)]) {
        const output = through(pool.createDecompress(), pieces);
        await expect(output).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TRAILING' });
      }
    }
    expect(await through(pool.createDecompress(), [packed])).toHaveLength(2_000);
  });

  it('say that an input of another kind is corrupt', async () => {
    open({ algorithm });
    const output = through(pool.createDecompress(), [Buffer.alloc(64, 0xff)]);
    await expect(output).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_CORRUPT', pool: 'archive' });
  });

  it('stop a bomb at the limit', async () => {
    open({ algorithm });
    const bomb = await pool.compress(Buffer.alloc(16 * 2 ** 20));
    const stream = pool.createDecompress({ maxOutputBytes: 100_000 });
    await expect(through(stream, [bomb])).rejects.toMatchObject({ code: 'ERR_POOL_OUTPUT_TOO_LARGE' });
    expect(stream.bytesOut).toBeLessThan(400_000);
  });

  it('give chunks that own their memory', async () => {
    open({ algorithm });
    const stream = pool.createCompress();
    stream.end(noise(100_000));
    for await (const chunk of stream as AsyncIterable<Buffer>)
      expect(chunk.buffer.byteLength).toBe(chunk.length);
  });
});

describe('streams of gzip', () => {
  it('read several members as one input, however they are cut', async () => {
    open();
    const parts = [text(10), text(0), text(70_000)];
    const members = Buffer.concat(parts.map((part) => zlib.gzipSync(part)));
    for (const bytes of [1, 10, 1_000, members.length]) {
      const output = await through(pool.createDecompress(), inPieces(members, bytes));
      expect(output.equals(Buffer.concat(parts))).toBe(true);
    }
  });
});

describe('a large stream', () => {
  const parallel = { aboveBytes: 100_000, blockBytes: 20_000 };

  it.each([1_000, 20_000, 65_536, 300_000])(
    'is compressed by all who are free, in order, from pieces of %i bytes',
    async (pieceBytes) => {
      open({ max: 3, parallel });
      for (const bytes of [100_000, 100_001, 120_001, 1_000_000]) {
        const input = Buffer.concat([text(bytes / 2), noise(bytes - Math.floor(bytes / 2))]).subarray(
          0,
          bytes,
        );
        const stream = pool.createCompress();
        const packed = await through(stream, inPieces(input, pieceBytes));
        expect(zlib.gunzipSync(packed).equals(input)).toBe(true);
        expect(stream).toMatchObject({ bytesIn: input.length, bytesOut: packed.length });
      }
      expect(pool.stats()).toMatchObject({ created: 3, destroyed: 0, leased: 0, idle: 3 });
    },
  );

  it('is compressed by its own context where no other is free', async () => {
    open({ max: 1, parallel });
    const input = noise(500_000);
    const packed = await through(pool.createCompress(), inPieces(input, 30_000));
    expect(zlib.gunzipSync(packed).equals(input)).toBe(true);
  });

  it('takes in no more than is read', async () => {
    open({ max: 3, parallel });
    const stream = pool.createCompress();
    const source = Readable.from(inPieces(noise(5_000_000), 20_000)).pipe(stream);
    for (let turns = 0; turns < 300; turns++) await turn();
    expect(stream.bytesIn).toBeLessThan(1_000_000);
    expect(zlib.gunzipSync(await buffer(source))).toHaveLength(5_000_000);
  });

  it('gives every context back when it is destroyed, and to others a clean one', async () => {
    open({ max: 2, parallel });
    for (let round = 0; round < 20; round++) {
      const stream = pool.createCompress();
      stream.on('error', () => undefined);
      stream.resume();
      for (const piece of inPieces(noise(300_000), 30_000)) stream.write(piece);
      for (let turns = 0; turns < round * 3; turns++) await turn();
      stream.destroy();
      const inputs = Array.from({ length: 4 }, (_, index) => text(2_000 + index, round));
      const packed = await Promise.all(inputs.map((input) => pool.compress(input)));
      packed.forEach((each, index) => expect(zlib.gunzipSync(each).equals(inputs[index]!)).toBe(true));
    }
    expect(await pool.drain()).toMatchObject({ clean: true });
  });

  it('is ended by the deadline of a drain', async () => {
    open({ max: 2, parallel });
    const stream = pool.createCompress();
    const failure = failureOf(stream);
    stream.write(noise(150_000));
    stream.write(noise(150_000));
    while (stream.bytesIn < 300_000 || pool.stats().leased > 1) await turn(); // it has nothing to do
    await pool.drain({ timeoutMs: 0 });
    expect(await failure).toMatchObject({ code: 'ERR_POOL_LEASE_BROKEN' });
  });
});

describe('a stream of a pool', () => {
  it('takes strings, and works by for await and as a pair of web streams', async () => {
    open();
    const stream = pool.createCompress();
    stream.write('Grüße, ');
    stream.end('Welt');
    const packed = await buffer(stream);
    expect(zlib.gunzipSync(packed).toString()).toBe('Grüße, Welt');

    const { readable, writable } = Duplex.toWeb(pool.createDecompress());
    const writer = writable.getWriter();
    void writer.write(packed).then(() => writer.close());
    expect(await new Response(readable as never).text()).toBe('Grüße, Welt');
  });

  it('tells how much went in and out, and the pool adds it up', async () => {
    open();
    const input = text(500_000);
    const stream = pool.createCompress();
    const seen: number[] = [];
    const watched = new Writable({
      write: (_chunk, _encoding, callback) => {
        seen.push(stream.bytesIn);
        callback();
      },
    });
    await pipeline(Readable.from(inPieces(input, 50_000)), stream, watched);
    expect(stream.bytesIn).toBe(input.length);
    expect(seen).toEqual([...seen].sort((one, other) => one - other));
    const { bytesIn, bytesOut } = stream;
    expect(pool.stats().compressed).toMatchObject({ bytesIn, bytesOut });
    expect(pool.stats().compressed.bytesPerSecond).toBeGreaterThan(0);
  });

  it('takes no context before its first byte, and none after its end', async () => {
    open();
    const stream = pool.createCompress();
    await turn();
    expect(pool.stats()).toMatchObject({ size: 0, acquired: 0 });
    stream.write('a byte');
    await turn();
    expect(pool.stats()).toMatchObject({ leased: 1 });
    stream.end();
    await buffer(stream);
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
  });

  it('waits for a context as long as it is told', async () => {
    open();
    const first = pool.createCompress();
    first.write('a byte');
    await turn();
    const second = pool.createCompress({ timeoutMs: 5 });
    second.write('another');
    expect(await failureOf(second)).toMatchObject({ code: 'ERR_POOL_TIMEOUT' });
    const third = pool.createCompress();
    third.end('a third');
    first.end();
    expect(zlib.gunzipSync(await buffer(first)).toString()).toBe('a byte');
    expect(zlib.gunzipSync(await buffer(third)).toString()).toBe('a third');
  });

  it('takes in no more than is read', async () => {
    open();
    const bomb = zlib.gzipSync(Buffer.alloc(64 * 2 ** 20));
    const stream = pool.createDecompress();
    stream.end(bomb);
    await new Promise((resolve) => stream.once('readable', resolve));
    for (let turns = 0; turns < 50; turns++) await turn();
    expect(stream.bytesOut).toBeLessThan(2 ** 20);
    let bytes = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) bytes += chunk.length;
    expect(bytes).toBe(64 * 2 ** 20);
    expect(stream.bytesOut).toBe(bytes);
  });

  it.each(['before it has a context', 'while it waits for one', 'half way'])(
    'ends with the reason when its signal aborts %s',
    async (moment) => {
      open();
      const other = pool.createCompress();
      if (moment === 'while it waits for one') other.write('a byte');
      await turn();
      const controller = new AbortController();
      const stream = pool.createCompress({ signal: controller.signal });
      if (moment !== 'before it has a context') stream.write(noise(100_000));
      await turn();
      const failure = failureOf(stream);
      controller.abort(new Error('the client went away'));
      expect(await failure).toBe(controller.signal.reason);
      other.end();
      await buffer(other);
      expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0 });
      expect(zlib.gunzipSync(await pool.compress('next')).toString()).toBe('next');
    },
  );

  it('ends at once when its signal aborted before', async () => {
    open();
    const reason = new Error('too late');
    expect(await failureOf(pool.createCompress({ signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  it('never leaves half an input to the next one when it is destroyed early', async () => {
    open();
    for (let round = 0; round < 20; round++) {
      const stream = round % 2 === 0 ? pool.createCompress() : pool.createDecompress();
      stream.write(round % 2 === 0 ? noise(30_000 * round) : zlib.gzipSync(noise(1_000)).subarray(0, 900));
      for (let turns = 0; turns < round % 5; turns++) await turn();
      stream.destroy();
      const input = text(1_000 + round);
      const packed = await through(pool.createCompress(), [input]);
      expect(zlib.gunzipSync(packed).equals(input)).toBe(true);
      expect((await through(pool.createDecompress(), [packed])).equals(input)).toBe(true);
    }
    expect(pool.stats()).toMatchObject({ leased: 0 });
  });

  it('lets whoever works with the same context in one piece go undisturbed by its failures', async () => {
    open();
    const packed = await pool.compress('whole');
    for (let round = 0; round < 3; round++) {
      await expect(through(pool.createDecompress(), [noise(90)])).rejects.toThrow('no valid gzip');
      expect((await pool.decompress(packed)).toString()).toBe('whole');
    }
  });

  it('is ended by the deadline of a drain, which says so', async () => {
    open();
    const stream = pool.createCompress();
    stream.write('a byte');
    await turn();
    const failure = failureOf(stream);
    expect(await pool.drain({ timeoutMs: 5 })).toMatchObject({ clean: false, revoked: [expect.anything()] });
    expect(await failure).toMatchObject({ code: 'ERR_POOL_LEASE_BROKEN' });
    expect(await failureOf(pool.createCompress().end('late'))).toMatchObject({ code: 'ERR_POOL_CLOSED' });
  });

  it('may go on while its pool is drained, until the deadline', async () => {
    open();
    const stream = pool.createCompress();
    stream.write('begun, ');
    await turn();
    const draining = pool.drain();
    stream.end('ended');
    expect(zlib.gunzipSync(await buffer(stream)).toString()).toBe('begun, ended');
    expect(await draining).toMatchObject({ clean: true });
  });

  it('keeps to the maxOutputBytes of its pool if that was given', async () => {
    const packed = zlib.gzipSync(Buffer.alloc(1_001));
    open({ maxOutputBytes: 1_000 });
    await expect(through(pool.createDecompress(), [packed])).rejects.toMatchObject({
      code: 'ERR_POOL_OUTPUT_TOO_LARGE',
    });
    expect(await through(pool.createDecompress({ maxOutputBytes: 1_001 }), [packed])).toHaveLength(1_001);
  });

  it('is refused where an option makes no sense, or the codec has none', async () => {
    open();
    expect(() => pool.createDecompress({ maxOutputBytes: -1 })).toThrow('maxOutputBytes');
    expect(() => pool.createCompress({ level: 3 } as object)).toThrow('unknown option "level"');
    await pool.drain();
    const coder = () => ({
      run: (input: Uint8Array) => Promise.resolve(Buffer.from(input)),
      close: () => Promise.resolve(),
    });
    open({ algorithm: { name: 'plain', createCompressor: coder, createDecompressor: coder } });
    expect(() => pool.createCompress()).toThrow('the codec plain has no streams');
    expect(() => pool.createDecompress()).toThrow('the codec plain has no streams');
  });
});
