import { describe, expect, it, jest } from '@jest/globals';
import type { Coder } from './codec.js';
import { FreshCoder } from './fresh-coder.js';

const fakeCoder = (run: Coder['run']) => ({ run, close: jest.fn(() => Promise.resolve()) });

describe('FreshCoder', () => {
  it('makes a coder for each input, told its size, and closes it when that is done', async () => {
    const coders: ReturnType<typeof fakeCoder>[] = [];
    const sizes: number[] = [];
    const fresh = new FreshCoder((input) => {
      const coder = fakeCoder((given) => Promise.resolve(Buffer.from(given)));
      sizes.push(input.byteLength);
      coders.push(coder);
      return coder;
    });
    expect(await fresh.run(Buffer.from('one'), 10)).toEqual(Buffer.from('one'));
    expect(await fresh.run(Buffer.from('three'), 10)).toEqual(Buffer.from('three'));
    expect(sizes).toEqual([3, 5]);
    for (const coder of coders) expect(coder.close).toHaveBeenCalledTimes(1);
  });

  it('closes a coder that failed', async () => {
    const coder = fakeCoder(() => Promise.reject(new Error('bad input')));
    await expect(new FreshCoder(() => coder).run(Buffer.alloc(1), 10)).rejects.toThrow('bad input');
    expect(coder.close).toHaveBeenCalledTimes(1);
  });

  it('closes the coder that works', async () => {
    const coder = fakeCoder(() => new Promise(() => undefined));
    const fresh = new FreshCoder(() => coder);
    void fresh.run(Buffer.alloc(1), 10);
    await fresh.close();
    expect(coder.close).toHaveBeenCalledTimes(1);
  });

  it('has nothing to close before its first input', async () => {
    const make = jest.fn<() => Coder>();
    await new FreshCoder(make).close();
    expect(make).not.toHaveBeenCalled();
  });
});
