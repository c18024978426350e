import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it, jest } from '@jest/globals';
import type { Codec, Coder } from './codec.js';
import { CodecContext } from './codec-context.js';

const INPUT = Buffer.from('input');
const LIMIT = 1_000;

function fakeCoder(run: Coder['run'] = (input) => Promise.resolve(Buffer.from(input))) {
  return { run: jest.fn(run), close: jest.fn(() => Promise.resolve()) };
}

function fakeCodec(make: () => Coder = () => fakeCoder()) {
  return {
    name: 'fake',
    createCompressor: jest.fn<Codec['createCompressor']>(make),
    createDecompressor: jest.fn<Codec['createDecompressor']>(make),
  };
}

describe('CodecContext', () => {
  it('makes each direction when it is first needed, and once', async () => {
    const codec = fakeCodec();
    const context = new CodecContext({ codec, pool: 'test', maxOutputBytes: LIMIT, level: 3 });
    expect(codec.createCompressor).not.toHaveBeenCalled();

    await context.compress(INPUT);
    await context.compress(INPUT);
    expect(codec.createCompressor.mock.calls).toEqual([[{ pool: 'test', level: 3 }]]);
    expect(codec.createDecompressor).not.toHaveBeenCalled();

    await context.decompress(INPUT);
    expect(codec.createDecompressor.mock.calls).toEqual([[{ pool: 'test' }]]);
  });

  it('bounds what is decompressed and nothing that is compressed', async () => {
    const coder = fakeCoder();
    const context = new CodecContext({ codec: fakeCodec(() => coder), pool: 'test', maxOutputBytes: LIMIT });
    await context.compress(INPUT);
    await context.decompress(INPUT);
    await context.decompress(INPUT, 100);
    expect(coder.run.mock.calls).toEqual([
      [INPUT, Infinity],
      [INPUT, LIMIT],
      [INPUT, 100],
    ]);
  });

  it('closes what failed and makes it anew, and keeps the other direction', async () => {
    const failure = new Error('bad input');
    const compressor = fakeCoder();
    const failing = fakeCoder(() => Promise.reject(failure));
    const codec = fakeCodec(() => compressor);
    codec.createDecompressor.mockReturnValueOnce(failing);
    const context = new CodecContext({ codec, pool: 'test', maxOutputBytes: LIMIT });

    await context.compress(INPUT);
    await expect(context.decompress(INPUT)).rejects.toBe(failure);
    expect(failing.close).toHaveBeenCalledTimes(1);
    expect(compressor.close).not.toHaveBeenCalled();
    expect(await context.decompress(INPUT)).toEqual(INPUT);
    expect(failing.run).toHaveBeenCalledTimes(1);
  });

  it('survives a codec that cannot make a coder', async () => {
    const codec = fakeCodec();
    codec.createCompressor.mockImplementationOnce(() => {
      throw new Error('no memory');
    });
    const context = new CodecContext({ codec, pool: 'test', maxOutputBytes: LIMIT });
    await expect(context.compress(INPUT)).rejects.toThrow('no memory');
    expect(await context.compress(INPUT)).toEqual(INPUT);
  });

  it('refuses a second input while it works on the first, which is not disturbed', async () => {
    const context = new CodecContext({ codec: fakeCodec(), pool: 'test', maxOutputBytes: LIMIT });
    const first = context.compress(INPUT);
    await expect(context.compress(INPUT)).rejects.toMatchObject({
      code: 'ERR_POOL_COMPRESSION_FAILED',
      message: '[pool "test"] fake failed: the context works on another input; await that first',
    });
    expect(await first).toEqual(INPUT);
    expect(await context.compress(INPUT)).toEqual(INPUT);
  });

  it('compresses and decompresses at the same time', async () => {
    const context = new CodecContext({ codec: fakeCodec(), pool: 'test', maxOutputBytes: LIMIT });
    const both = await Promise.all([context.compress(INPUT), context.decompress(INPUT)]);
    expect(both).toEqual([INPUT, INPUT]);
  });

  it('closes both directions and refuses work after that', async () => {
    const coders = [fakeCoder(), fakeCoder()] as const;
    const codec = fakeCodec();
    codec.createCompressor.mockReturnValueOnce(coders[0]);
    codec.createDecompressor.mockReturnValueOnce(coders[1]);
    const context = new CodecContext({ codec, pool: 'test', maxOutputBytes: LIMIT });
    await context.compress(INPUT);
    await context.decompress(INPUT);

    await context.close();
    await context.close();
    for (const coder of coders) expect(coder.close).toHaveBeenCalledTimes(1);
    await expect(context.compress(INPUT)).rejects.toThrow('the context is closed');
    await expect(context.decompress(INPUT)).rejects.toThrow('the context is closed');
  });

  it('makes its coders in the async context it was made in, not in that of whoever came first', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const codec = fakeCodec(() => {
      seen.push(storage.getStore());
      return fakeCoder();
    });
    const context = new CodecContext({ codec, pool: 'test', maxOutputBytes: LIMIT });
    await storage.run('a request', () => context.compress(INPUT));
    expect(seen).toEqual([undefined]);
  });
});
