import { describe, expect, it } from '@jest/globals';
import { zstdFrameEnd, zstdFrames } from './zstd-frames.js';

const CULPRIT = { pool: 'test', codec: 'zstd' };
const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/** The three bytes before a block. */
function blockHeader(size: number, kind: 'raw' | 'repeated' | 'compressed', isLast: boolean): number[] {
  const header = (size << 3) | ({ raw: 0, repeated: 1, compressed: 2 }[kind] << 1) | Number(isLast);
  return [header & 0xff, (header >> 8) & 0xff, header >> 16];
}

const frame = (descriptor: number, ...rest: readonly number[][]) =>
  Uint8Array.from([...MAGIC, descriptor, ...rest.flat()]);

const zeros = (count: number) => new Array<number>(count).fill(0);

const EMPTY_FRAME = frame(0x20, [0], blockHeader(0, 'raw', true));

const codeOf = (input: Uint8Array): unknown => {
  try {
    return zstdFrames(CULPRIT, input).length;
  } catch (error) {
    return (error as { code: unknown }).code;
  }
};

describe('zstdFrameEnd', () => {
  it.each([
    { header: 'a window only', descriptor: 0x00, bytes: 1 },
    { header: 'one byte of content size', descriptor: 0x20, bytes: 1 },
    { header: 'two bytes of content size', descriptor: 0x60, bytes: 2 },
    { header: 'a window and two bytes of content size', descriptor: 0x40, bytes: 3 },
    { header: 'a window and eight bytes of content size', descriptor: 0xc0, bytes: 9 },
    { header: 'four bytes of content size and a short dictionary id', descriptor: 0xa1, bytes: 5 },
    { header: 'a window and the longest dictionary id', descriptor: 0x03, bytes: 5 },
  ])('finds the block behind a header with $header', ({ descriptor, bytes }) => {
    const input = frame(descriptor, zeros(bytes), blockHeader(5, 'raw', true), zeros(5));
    expect(zstdFrameEnd(input, 0)).toBe(input.length);
  });

  it('goes from block to block up to the last; a repeated byte stands there once', () => {
    const blocks = [
      [...blockHeader(300, 'raw', false), ...zeros(300)],
      [...blockHeader(70_000, 'repeated', false), 7],
      [...blockHeader(20, 'compressed', true), ...zeros(20)],
    ];
    const input = frame(0x00, [0], ...blocks);
    expect(zstdFrameEnd(input, 0)).toBe(input.length);
  });

  it('counts the checksum', () => {
    const input = frame(0x24, [0], blockHeader(0, 'raw', true), zeros(4));
    expect(zstdFrameEnd(input, 0)).toBe(input.length);
  });

  it('begins where it is told to, in a view of a larger buffer as well', () => {
    const room = new Uint8Array(100);
    room.set(EMPTY_FRAME, 40);
    expect(zstdFrameEnd(room.subarray(30), 10)).toBe(10 + EMPTY_FRAME.length);
  });

  it('knows that nothing begins where no magic number stands', () => {
    expect(zstdFrameEnd(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfe), 0)).toBeUndefined();
    expect(zstdFrameEnd(Uint8Array.of(0x1f, 0x8b), 0)).toBeUndefined();
  });
});

describe('zstdFrames', () => {
  it('cuts the input into frames, skippable ones too', () => {
    const skippable = Uint8Array.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const input = Buffer.concat([EMPTY_FRAME, skippable, EMPTY_FRAME]);
    const lengths = zstdFrames(CULPRIT, input).map(({ length }) => length);
    expect(lengths).toEqual([EMPTY_FRAME.length, skippable.length, EMPTY_FRAME.length]);
  });

  it('calls it truncated wherever a frame is cut off, be it the second', () => {
    const input = Buffer.concat([
      EMPTY_FRAME,
      frame(0x24, [3], blockHeader(3, 'raw', true), zeros(3), zeros(4)),
    ]);
    for (let length = 0; length < input.length; length++) {
      if (length === EMPTY_FRAME.length) continue;
      expect(codeOf(input.subarray(0, length))).toBe('ERR_POOL_INPUT_TRUNCATED');
    }
    expect(codeOf(input)).toBe(2);
  });

  it('tells what never was a frame from what follows one', () => {
    expect(codeOf(Buffer.from('text'))).toBe('ERR_POOL_INPUT_CORRUPT');
    expect(codeOf(Buffer.concat([EMPTY_FRAME, Buffer.from('x')]))).toBe('ERR_POOL_INPUT_TRAILING');
  });
});
