import { deflateRawSync, gunzipSync, inflateRawSync, constants } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { GzipJoiner } from './gzip-joiner.js';

/** A block as a context gives it: with a header, and without an end. */
const compressed = (block: Buffer) =>
  Buffer.concat([Buffer.alloc(10, 'h'), deflateRawSync(block, { finishFlush: constants.Z_SYNC_FLUSH })]);

const HEADER = Buffer.from('1f8b0800000000000003', 'hex');

describe('GzipJoiner', () => {
  it.each([
    { blocks: ['one'] },
    { blocks: ['one', 'two', 'three'] },
    { blocks: ['one', '', 'two'] }, // of nothing, zlib's checksum is 0 whatever came before
    { blocks: ['x'.repeat(100_000), 'y'.repeat(100_000)] },
  ])('makes one member of blocks, whose checksum any reader accepts', ({ blocks }) => {
    const joiner = new GzipJoiner();
    const parts = blocks
      .map((text) => Buffer.from(text))
      .map((block) => joiner.add(block, compressed(block)));
    const deflated = Buffer.concat([...parts, joiner.end()]).subarray(10);
    expect(gunzipSync(Buffer.concat([HEADER, deflated])).toString()).toBe(blocks.join(''));
    expect(inflateRawSync(deflated.subarray(0, -8)).toString()).toBe(blocks.join(''));
  });

  it('counts what went out before, piece by piece, to the first block', () => {
    const joiner = new GzipJoiner();
    const [first, second] = [Buffer.from('that went out'), Buffer.from(' and that did not')];
    for (const piece of [first.subarray(0, 4), first.subarray(4)])
      expect(joiner.add(piece, Buffer.alloc(0))).toHaveLength(0);
    const out = Buffer.concat([HEADER, compressed(first).subarray(10)]);
    const output = Buffer.concat([out, joiner.add(second, compressed(second)), joiner.end()]);
    expect(gunzipSync(output).toString()).toBe('that went out and that did not');
  });
});
