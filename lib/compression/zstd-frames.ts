import { corrupt, trailing, truncated, type Culprit } from './compression.errors.js';

/**
 * Cuts the input into its zstd frames, of which Node's decoder takes one at a time. Some versions of it also keep silent about a
 * frame that was cut off: here it is noticed.
 * @throws {CompressionError} the input is not a sequence of whole frames
 */
export function zstdFrames(culprit: Culprit, input: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let start = 0;
  do {
    const end = zstdFrameEnd(input, start);
    if (end === undefined)
      throw start === 0 ? corrupt(culprit, 'it does not begin with a frame') : trailing(culprit);
    if (end > input.length) throw truncated(culprit);
    frames.push(input.subarray(start, end));
    start = end;
  } while (start < input.length);
  return frames;
}

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
export const BLOCK_HEADER_BYTES = 3;
const REPEATED_BYTE = 1;

/**
 * The index behind the frame that begins at `start`: beyond the input if the frame is cut off, `undefined` if none begins there.
 * Blocks tell their sizes (RFC 8878, 3.1.1), so nothing is decoded for it, and nothing judged that the decoder will judge.
 */
export function zstdFrameEnd(input: Uint8Array, start: number): number | undefined {
  if (isSkippable(input, start)) return start + 8 + uint(input, start + 4, 4);
  if (!isZstd(input, start)) return undefined;
  const descriptor = uint(input, start + MAGIC.length, 1);
  let at = start + MAGIC.length + headerBytes(descriptor);
  for (let isLast = false; !isLast && at <= input.length;) {
    const header = uint(input, at, BLOCK_HEADER_BYTES);
    isLast = isLastBlock(header);
    at += BLOCK_HEADER_BYTES + blockBytes(header);
  }
  return at + checksumBytes(descriptor);
}

export function isLastBlock(header: number): boolean {
  return (header & 1) === 1;
}

/** What follows the header of a block. */
export function blockBytes(header: number): number {
  const type = (header >> 1) & 3;
  return type === REPEATED_BYTE ? 1 : header >> 3;
}

export function isZstd(input: Uint8Array, start: number): boolean {
  return beginsWith(MAGIC, input, start);
}

/** A frame without content, for the use of others: its first byte is 0x50 to 0x5f. */
export function isSkippable(input: Uint8Array, start: number): boolean {
  return (uint(input, start, 1) & 0xf0) === 0x50 && beginsWith([0x2a, 0x4d, 0x18], input, start + 1);
}

/** The descriptor, then window, dictionary and content size, as far as it announces them. */
export function headerBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const windowBytes = isSingleSegment ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return 1 + windowBytes + dictionaryBytes + contentSizeBytes;
}

export function checksumBytes(descriptor: number): number {
  return (descriptor & 0x04) === 0 ? 0 : 4;
}

/** Bytes behind the end of the input fit anything: a frame that is cut off within its first bytes is a frame nevertheless. */
function beginsWith(bytes: readonly number[], input: Uint8Array, start: number): boolean {
  return bytes.every((byte, index) => (input[start + index] ?? byte) === byte);
}

/** A little-endian number; bytes behind the end of the input count as 0. */
export function uint(input: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let index = bytes - 1; index >= 0; index--) value = value * 256 + (input[at + index] ?? 0);
  return value;
}
