import { describe, expect, it } from '@jest/globals';
import { ZstdFrameCutter } from './zstd-frame-cutter.js';
import { zstdFrames } from './zstd-frames.js';

const CULPRIT = { pool: 'test', codec: 'zstd' };

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** Of one empty block; of a raw, a repeated and a compressed one, with a checksum; one to be skipped; one with a long header. */
const FRAMES = [
  bytes('28b52ffd 20 00 010000'),
  Buffer.concat([
    bytes('28b52ffd 04 58 20 0000'),
    bytes('00010203 620000 07 1d0000 aabbcc'),
    bytes('01020304'),
  ]),
  bytes('5a2a4d18 05000000 0102030405'),
  bytes('502a4d18 00000000'),
  bytes('28b52ffd c3 00 00000000 0000000000000000 090000 ff'),
];

/** What a cutter makes of an input in pieces of so many bytes: the frames, put together again. */
function framesOf(input: Uint8Array, pieceBytes: number): Buffer[] {
  const cutter = new ZstdFrameCutter(CULPRIT);
  const frames: Buffer[] = [];
  let open: Uint8Array[] = [];
  for (let start = 0; start < input.length; start += pieceBytes) {
    const piece = input.subarray(start, start + pieceBytes);
    const parts = cutter.cut(piece);
    expect(Buffer.concat(parts).equals(piece)).toBe(true);
    parts.forEach((part, index) => {
      open.push(part);
      const frame = Buffer.concat(open);
      const isWhole = index < parts.length - 1 || FRAMES.some((known) => known.equals(frame));
      if (!isWhole) return;
      frames.push(frame);
      open = [];
    });
  }
  cutter.end();
  expect(open).toEqual([]);
  return frames;
}

function outcomeOf(input: Uint8Array, pieceBytes: number): unknown {
  try {
    return framesOf(input, pieceBytes).length;
  } catch (error) {
    return (error as { code: unknown }).code;
  }
}

describe('ZstdFrameCutter', () => {
  const input = Buffer.concat(FRAMES);

  it('cuts where frames end, however the input is cut itself', () => {
    expect(zstdFrames(CULPRIT, input).map((frame) => Buffer.from(frame))).toEqual(FRAMES);
    for (let pieceBytes = 1; pieceBytes <= input.length; pieceBytes++)
      expect(framesOf(input, pieceBytes)).toEqual(FRAMES);
  });

  it('calls an input truncated wherever it is cut off but between two frames', () => {
    const ends = FRAMES.map((_, index) => Buffer.concat(FRAMES.slice(0, index + 1)).length);
    for (let length = 0; length < input.length; length++) {
      for (const pieceBytes of [1, 3, 1_000]) {
        const expected = ends.includes(length) ? ends.indexOf(length) + 1 : 'ERR_POOL_INPUT_TRUNCATED';
        expect(outcomeOf(input.subarray(0, length), pieceBytes)).toBe(expected);
      }
    }
  });

  it('tells what never was a frame from what follows one, be it too short to be any', () => {
    for (const text of ['x', 'te', 'text', 'a longer text']) {
      for (const pieceBytes of [1, 3, 1_000]) {
        expect(outcomeOf(Buffer.from(text), pieceBytes)).toBe('ERR_POOL_INPUT_CORRUPT');
        const behind = Buffer.concat([input, Buffer.from(text)]);
        expect(outcomeOf(behind, pieceBytes)).toBe('ERR_POOL_INPUT_TRAILING');
      }
    }
  });

  it('begins anew behind the end of an input, whatever came of that', () => {
    const cutter = new ZstdFrameCutter(CULPRIT);
    cutter.cut(input.subarray(0, 15));
    expect(() => cutter.end()).toThrow('ends too early');
    expect(cutter.cut(input)).toHaveLength(FRAMES.length);
    cutter.end();
    expect(() => cutter.end()).toThrow('ends too early');
  });
});
