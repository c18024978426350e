import { Transform, type TransformCallback } from 'node:stream';
import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { noise, text } from './payloads.fake.js';
import { CHUNK_BYTES, StreamCoder, type ZlibStream } from './stream-coder.js';

const culprit = { pool: 'test', codec: 'gzip' };
const flush = zlib.constants.Z_FINISH;
const options = { flush, chunkSize: CHUNK_BYTES };

const coderOf = (stream: ZlibStream) => new StreamCoder({ stream, resetAfterRun: true, culprit });

/** A stream that fails as zlib does. */
class FailingStream extends Transform {
  readonly bytesRead = 0;
  readonly bytesWritten = 0;

  constructor(private readonly code: string) {
    super();
  }

  override _transform(_chunk: unknown, _encoding: string, callback: TransformCallback): void {
    callback(Object.assign(new Error('Insufficient memory'), { code: this.code }));
  }

  close(): void {
    this.destroy();
  }

  flush(): void {
    // Nothing is kept back.
  }
}

describe('StreamCoder', () => {
  it('reads no further than the limit, so that a bomb costs no more than it', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(200 * 2 ** 20), { level: 1 });
    const stream = zlib.createGunzip(options);
    const limit = 2 ** 20;

    await expect(coderOf(stream).run(bomb, limit)).rejects.toMatchObject({
      code: 'ERR_POOL_OUTPUT_TOO_LARGE',
    });
    expect(stream.destroyed).toBe(true);
    expect(stream.bytesWritten).toBeLessThan(bomb.length / 50);
  });

  it('adds no listener with a call', async () => {
    const stream = zlib.createGzip(options);
    const coder = coderOf(stream);
    const listeners = () => stream.eventNames().map((event) => [event, stream.listenerCount(event)]);
    const before = listeners();
    for (let call = 0; call < 20; call++) await coder.run(text(100), Infinity);
    expect(listeners()).toEqual(before);
    await coder.close();
  });

  it('closes an idle stream at once', async () => {
    const stream = zlib.createGzip(options);
    const coder = coderOf(stream);
    await coder.run(text(100), Infinity);
    await coder.close();
    expect(stream.destroyed).toBe(true);
  });

  it('rejects at once when it is closed half way, and leaves the stream alone until zlib rests', async () => {
    const stream = zlib.createGzip(options);
    const coder = coderOf(stream);
    const input = noise(4 * 2 ** 20);
    const run = coder.run(input, Infinity);
    const closing = coder.close();

    expect(coder.close()).toBe(closing);
    await expect(run).rejects.toMatchObject({ code: 'ERR_POOL_COMPRESSION_FAILED' });
    expect(stream.destroyed).toBe(false);
    await closing;
    expect(stream.destroyed).toBe(true);
    expect(stream.bytesWritten).toBeLessThan(input.length);
  });

  it.each([
    { ending: 'an output that fits into one chunk', input: zlib.gzipSync('short') },
    { ending: 'a corrupt input', input: Buffer.alloc(100, 0xff) },
    { ending: 'a trailing input', input: Buffer.concat([zlib.gzipSync('short'), Buffer.alloc(9)]) },
  ])('can be closed while it works on $ending', async ({ input }) => {
    const stream = zlib.createGunzip(options);
    const coder = coderOf(stream);
    const run = coder.run(input, Infinity);
    const closing = coder.close();
    await expect(run).rejects.toMatchObject({ code: 'ERR_POOL_COMPRESSION_FAILED' });
    await closing;
    expect(stream.destroyed).toBe(true);
  });

  it('can be closed after an input that the stream refuses', async () => {
    const coder = coderOf(zlib.createGzip(options));
    const input = new Uint8Array(10);
    structuredClone(input, { transfer: [input.buffer] });
    await expect(coder.run(input, Infinity)).rejects.toMatchObject({
      code: 'ERR_POOL_COMPRESSION_FAILED',
      cause: expect.objectContaining({ name: 'TypeError' }),
    });
    await coder.close();
  });

  it('refuses an input that zlib cannot count', async () => {
    const input = Object.defineProperty(new Uint8Array(1), 'byteLength', { value: 2 ** 32 });
    const coder = coderOf(zlib.createGzip(options));
    await expect(coder.run(input, Infinity)).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_TOO_LARGE' });
    expect(await coder.run(text(10), Infinity)).toBeInstanceOf(Buffer);
    await coder.close();
  });

  it.each(['Z_MEM_ERROR', 'ERR__ERROR_ALLOC_CONTEXT_MODES', 'ZSTD_error_memory_allocation'])(
    'does not blame the input for %s',
    async (code) => {
      const run = coderOf(new FailingStream(code)).run(text(10), Infinity);
      await expect(run).rejects.toMatchObject({ code: 'ERR_POOL_COMPRESSION_FAILED', cause: { code } });
    },
  );

  it.each(['Z_DATA_ERROR', 'ERR__ERROR_FORMAT_PADDING_1', 'ZSTD_error_corruption_detected'])(
    'calls the input corrupt for %s',
    async (code) => {
      const run = coderOf(new FailingStream(code)).run(text(10), Infinity);
      await expect(run).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_CORRUPT', cause: { code } });
    },
  );

  it.each(['Z_NEED_DICT', 'ZSTD_error_dictionary_wrong'])('misses a dictionary for %s', async (code) => {
    const run = coderOf(new FailingStream(code)).run(text(10), Infinity);
    await expect(run).rejects.toMatchObject({ code: 'ERR_POOL_INPUT_DICTIONARY', cause: { code } });
  });
});
