import { describe, expect, it, jest } from '@jest/globals';
import type { Lease } from '../core/lease.js';
import type { Helpers } from './block-crew.js';
import type { CodecContext } from './codec-context.js';
import { compressInBlocks, compressWhole, cut } from './in-blocks.js';
import { SIDE_BY_SIDE } from './joining.js';

const BLOCKS = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => Buffer.from(letter));
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A context that "compresses" each block, one turn of the event loop later, into the block and its own name. */
function fakeContext(name: string) {
  const compress = jest.fn<CodecContext['compressBlock']>(async (block) => {
    await turn();
    return Buffer.concat([block, Buffer.from(name)]);
  });
  return { context: { compress, compressBlock: compress } as unknown as CodecContext, compress };
}

function fakeHelper(name: string) {
  const { context, compress } = fakeContext(name);
  const release = jest.fn(() => Promise.resolve());
  return { lease: { resource: context, release } as unknown as Lease<CodecContext>, compress, release };
}

function fakeHelpers(helpers: ReturnType<typeof fakeHelper>[]) {
  const free = [...helpers];
  const hire = jest.fn<Helpers['hire']>(() => {
    const helper = free.shift();
    return helper && Promise.resolve(helper.lease);
  });
  return { hire, areAwaited: jest.fn(() => false), areFree: jest.fn(() => free.length > 0) };
}

describe('compressInBlocks', () => {
  it('joins the outputs in the order of the blocks, whoever made them and when', async () => {
    const slow = fakeHelper('2');
    slow.compress.mockImplementation(async () => {
      for (let turns = 0; turns < 20; turns++) await turn();
      return Buffer.from('late');
    });
    const output = await compressInBlocks(
      fakeContext('1').context,
      BLOCKS,
      fakeHelpers([slow]),
      SIDE_BY_SIDE,
    );
    expect(output.toString()).toBe('a1latec1d1e1f1');
    expect(output.buffer.byteLength).toBe(output.length);
    expect(slow.release).toHaveBeenCalledTimes(1);
  });

  it('has a joiner make the output, which gets the blocks in their order and has the last word', async () => {
    const slow = fakeHelper('2');
    slow.compress.mockImplementation(async (block) => {
      for (let turns = 0; turns < 20; turns++) await turn();
      return block as Buffer;
    });
    const joiner = {
      add: (block: Uint8Array, output: Buffer) => Buffer.from(`<${String(block)}:${String(output)}>`),
      end: () => Buffer.from('.'),
    };
    const blocks = BLOCKS.slice(0, 3);
    const output = await compressInBlocks(fakeContext('1').context, blocks, fakeHelpers([slow]), joiner);
    expect(output.toString()).toBe('<a:a1><b:b><c:c1>.');
  });

  it('shares the blocks among all who are free', async () => {
    const helpers = [fakeHelper('2'), fakeHelper('3')];
    const own = fakeContext('1');
    const output = await compressInBlocks(own.context, BLOCKS, fakeHelpers(helpers), SIDE_BY_SIDE);
    expect(output.toString().replace(/\d/g, '')).toBe('abcdef');
    for (const { compress, release } of helpers) {
      expect(compress).toHaveBeenCalledTimes(2);
      expect(release).toHaveBeenCalledTimes(1);
    }
    expect(own.compress).toHaveBeenCalledTimes(2);
  });

  it('hires no more than it has blocks for', async () => {
    const helpers = fakeHelpers(Array.from({ length: 9 }, () => fakeHelper('2')));
    await compressInBlocks(fakeContext('1').context, BLOCKS.slice(0, 3), helpers, SIDE_BY_SIDE);
    expect(helpers.hire).toHaveBeenCalledTimes(2);
  });

  it('lets a helper go when somebody waits for it', async () => {
    const helper = fakeHelper('2');
    const helpers = fakeHelpers([helper]);
    helpers.areAwaited.mockReturnValueOnce(false).mockReturnValue(true);
    await compressInBlocks(fakeContext('1').context, BLOCKS, helpers, SIDE_BY_SIDE);
    expect(helper.compress).toHaveBeenCalledTimes(1);
    expect(helper.release).toHaveBeenCalledTimes(1);
  });

  it('takes who becomes free meanwhile', async () => {
    const helper = fakeHelper('2');
    const helpers = fakeHelpers([helper]);
    helpers.hire.mockReturnValueOnce(undefined);
    await compressInBlocks(fakeContext('1').context, BLOCKS, helpers, SIDE_BY_SIDE);
    expect(helper.compress).toHaveBeenCalled();
  });

  it('does itself what a helper failed at, also the last block', async () => {
    const broken = fakeHelper('2');
    broken.compress.mockImplementation(async () => {
      for (let turns = 0; turns < 20; turns++) await turn();
      throw new Error('revoked');
    });
    const output = await compressInBlocks(
      fakeContext('1').context,
      BLOCKS,
      fakeHelpers([broken]),
      SIDE_BY_SIDE,
    );
    expect(output.toString()).toBe('a1b1c1d1e1f1');
    expect(broken.release).toHaveBeenCalledTimes(1);
  });

  it('waits for no helper who has not come when all is done', async () => {
    const helpers = fakeHelpers([]);
    helpers.hire.mockImplementation(
      (signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    const output = await compressInBlocks(fakeContext('1').context, BLOCKS, helpers, SIDE_BY_SIDE);
    expect(output.toString()).toBe('a1b1c1d1e1f1');
    expect(helpers.hire.mock.calls.map(([signal]) => signal.aborted)).toEqual(Array(5).fill(true));
  });

  it('has its helpers begin nothing more when its own context fails', async () => {
    const own = fakeContext('1');
    own.compress.mockImplementation(() => turn().then(() => Promise.reject(new Error('no memory'))));
    const helper = fakeHelper('2');
    await expect(compressInBlocks(own.context, BLOCKS, fakeHelpers([helper]), SIDE_BY_SIDE)).rejects.toThrow(
      'no memory',
    );
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(helper.compress).toHaveBeenCalledTimes(1);
    expect(helper.release).toHaveBeenCalledTimes(1);
  });
});

describe('compressWhole', () => {
  const KIB = 1_024;
  const input = Buffer.alloc(48 * KIB);
  const parts = (isFree: boolean, blockBytes = 16 * KIB) => {
    const own = fakeContext('1');
    const helpers = { ...fakeHelpers([]), areFree: () => isFree };
    return {
      own,
      inBlocks: { aboveBytes: input.length - 1, blockBytes, helpers, newJoiner: () => SIDE_BY_SIDE },
    };
  };

  it('cuts what is large, while another context is free', async () => {
    const { own, inBlocks } = parts(true);
    expect(await compressWhole(own.context, input, inBlocks)).toHaveLength(input.length + 3);
  });

  it.each([
    { bytes: 48 * KIB - 1, isFree: true, blockBytes: 16 * KIB, why: 'is not larger than told' },
    { bytes: 48 * KIB, isFree: false, blockBytes: 16 * KIB, why: 'is large, where no other context is free' },
    { bytes: 48 * KIB, isFree: true, blockBytes: 32 * KIB, why: 'makes one block only' },
  ])('leaves in one piece what $why', async ({ bytes, isFree, blockBytes }) => {
    const { own, inBlocks } = parts(isFree, blockBytes);
    expect(await compressWhole(own.context, input.subarray(0, bytes), inBlocks)).toHaveLength(bytes + 1);
  });
});

describe('cut', () => {
  const KIB = 1_024;

  it.each([
    { bytes: 100 * KIB, least: 16 * KIB, sizes: [32, 32, 32, 4] },
    { bytes: 96 * KIB, least: 32 * KIB, sizes: [32, 32, 32] },
    { bytes: 127 * KIB, least: 64 * KIB, sizes: [127] },
    { bytes: 160 * KIB, least: 64 * KIB, sizes: [80, 80] },
    { bytes: 161 * KIB, least: 64 * KIB, sizes: [96, 65] },
    { bytes: 3 * KIB, least: 16 * KIB, sizes: [3] },
  ])('makes of $bytes bytes, in blocks of at least $least, $sizes KiB', ({ bytes, least, sizes }) => {
    const input = Buffer.alloc(bytes).map((_, index) => index);
    const blocks = cut(input, least);
    expect(blocks.map((block) => block.length / KIB)).toEqual(sizes);
    expect(Buffer.concat(blocks).equals(input)).toBe(true);
  });
});
