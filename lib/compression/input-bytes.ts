import { types } from 'node:util';
import { noBytes, noLongerThere } from './compression.errors.js';

/** What is compressed or decompressed, but for strings. */
export type Bytes = ArrayBufferLike | ArrayBufferView;

/**
 * How many bytes the input has; a string as UTF-8.
 * @throws {CompressionError} it is no bytes at all, or its memory was transferred or cut short
 */
export function byteLengthOf(input: string | Bytes, pool: string): number {
  if (typeof input === 'string') return Buffer.byteLength(input);
  if (!ArrayBuffer.isView(input) && !types.isAnyArrayBuffer(input)) throw noBytes(pool, input);
  const byteLength = byteLengthLeft(input);
  if (byteLength === undefined) throw noLongerThere(pool);
  return byteLength;
}

/** The input as zlib wants it. Not copied, except what others could change while zlib reads it in a thread. */
export function bytesOf(input: string | Bytes): Uint8Array {
  if (typeof input === 'string') return Buffer.from(input);
  const bytes = viewOf(input);
  return isUnsteady(bytes.buffer) ? new Uint8Array(bytes) : bytes; // `slice()` of a Buffer would copy nothing
}

/**
 * As `bytesOf()`, for an input that was counted when its caller came: what is left of it would be compressed without a word.
 * @throws {CompressionError} it has not as many bytes any more: its memory was transferred or cut short
 */
export function countedBytesOf(input: string | Bytes, byteLength: number, pool: string): Uint8Array {
  if (typeof input === 'string') return bytesOf(input);
  if (byteLengthLeft(input) !== byteLength) throw noLongerThere(pool);
  return bytesOf(input);
}

/** Nothing where the memory was transferred or cut short, which makes most views look as if they were empty, and others throw. */
function byteLengthLeft(input: Bytes): number | undefined {
  try {
    const { byteLength } = input;
    if (byteLength === 0) void (types.isTypedArray(input) ? input.keys() : viewOf(input)); // throws if it only looks so
    return byteLength;
  } catch {
    return undefined;
  }
}

function viewOf(input: Bytes): Uint8Array {
  if (types.isUint8Array(input)) return input;
  if (!ArrayBuffer.isView(input)) return new Uint8Array(input);
  return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
}

/** Other threads write to shared memory, and a resizable buffer can be cut short. */
function isUnsteady(buffer: ArrayBufferLike & { readonly resizable?: boolean }): boolean {
  return types.isSharedArrayBuffer(buffer) || buffer.resizable === true;
}
