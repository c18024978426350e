import { types } from 'node:util';
import { noBytes } from './compression.errors.js';

/** What is compressed or decompressed, but for strings. */
export type Bytes = ArrayBufferLike | ArrayBufferView;

/**
 * How many bytes the input has; a string as UTF-8.
 * @throws {CompressionError} it is no bytes at all
 */
export function byteLengthOf(input: string | Bytes, pool: string): number {
  if (typeof input === 'string') return Buffer.byteLength(input);
  if (ArrayBuffer.isView(input) || types.isAnyArrayBuffer(input)) return input.byteLength;
  throw noBytes(pool, input);
}

/** The input as zlib wants it. Not copied, except what others could change while zlib reads it in a thread. */
export function bytesOf(input: string | Bytes): Uint8Array {
  if (typeof input === 'string') return Buffer.from(input);
  const bytes = viewOf(input);
  return isUnsteady(bytes.buffer) ? bytes.slice() : bytes;
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
