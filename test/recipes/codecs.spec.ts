import { afterEach, describe, expect, it } from '@jest/globals';
import { CompressionPool } from 'nestjs-pool';
import { noise, text } from '../../lib/compression/payloads.fake.js';
import { lz4Block, snappy } from './codecs.js';

let pool: CompressionPool;
afterEach(() => pool.drain());

describe.each([snappy, lz4Block])('The codec of the recipe for $name', (algorithm) => {
  const open = (maxOutputBytes?: number) =>
    (pool = new CompressionPool('cache', { type: 'compression', algorithm, max: 2, maxOutputBytes }));

  it('gives back what it was given, to many callers at once', async () => {
    open();
    const inputs = [0, 1, 100, 65_536, 1_000_000].flatMap((bytes) => [
      text(bytes),
      noise(bytes),
      Buffer.alloc(bytes),
    ]);
    const packed = await Promise.all(inputs.map((input) => pool.compress(input)));
    const outputs = await Promise.all(packed.map((each) => pool.decompress(each)));
    outputs.forEach((output, index) => expect(output.equals(inputs[index]!)).toBe(true));
    expect(packed[3 * 3]!.length).toBeLessThan(inputs[3 * 3]!.length);
    expect(pool.stats()).toMatchObject({ size: 2, idle: 2 });
  });

  it('opens nothing that is larger than it may be', async () => {
    const packed = await open(1_000).compress(Buffer.alloc(1_001));
    await expect(pool.decompress(packed)).rejects.toMatchObject({ code: 'ERR_POOL_OUTPUT_TOO_LARGE' });
    expect(await pool.decompress(packed, { maxOutputBytes: 1_001 })).toHaveLength(1_001);
    await expect(pool.decompress(Buffer.from([0xff, 0xff, 0xff, 0x7f, 0]))).rejects.toMatchObject({
      code: 'ERR_POOL_OUTPUT_TOO_LARGE',
    });
  });

  it('says that an input is corrupt, and serves the next one', async () => {
    open();
    const packed = await pool.compress(text(5_000));
    for (const bad of [packed.subarray(0, 100), Buffer.from([9, 0, 0, 0, 0xff, 0xff])]) {
      await expect(pool.decompress(bad)).rejects.toMatchObject({
        code: 'ERR_POOL_INPUT_CORRUPT',
        pool: 'cache',
      });
    }
    expect((await pool.decompress(packed)).equals(text(5_000))).toBe(true);
  });

  it('is given up when the signal aborts', async () => {
    await open().compress('a context is there');
    const controller = new AbortController();
    const aborted = pool.compress(Buffer.alloc(64 * 2 ** 20), { signal: controller.signal });
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve(); // in which it begins, and cannot end
    controller.abort(new Error('the client went away'));
    await expect(aborted).rejects.toThrow('the client went away');
    expect((await pool.decompress(await pool.compress('next'))).toString()).toBe('next');
  });

  it('refuses what it does not have', () => {
    const options = { type: 'compression', algorithm } as const;
    expect(() => new CompressionPool('cache', { ...options, level: 3 })).toThrow('has no levels');
    expect(() => new CompressionPool('cache', { ...options, dictionary: Buffer.from('x') })).toThrow(
      'takes none',
    );
    expect(() => open().createCompress()).toThrow(`the codec ${algorithm.name} has no streams`);
  });
});
