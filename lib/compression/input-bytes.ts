import { types } from 'node:util';
import { CompressionError } from './compression.errors.js';

/** What is compressed or decompressed, but for strings. */
export type Bytes = ArrayBufferLike | ArrayBufferView;

/**
 * The input as zlib wants it. Not copied, except what others could change while zlib reads it in a thread.
 * @throws {CompressionError} it is no bytes at all
 */
export function bytesOf(input: Bytes, pool: string): Uint8Array {
  const bytes = viewOf(input);
  if (bytes === undefined) {
    const message = `the input must be a string, an ArrayBuffer or a view of one, such as a Buffer; got ${typeof input}`;
    throw new CompressionError('ERR_POOL_INPUT_TYPE', pool, message);
  }
  return isUnsteady(bytes.buffer) ? bytes.slice() : bytes;
}

function viewOf(input: Bytes): Uint8Array | undefined {
  if (types.isUint8Array(input)) return input;
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  return types.isAnyArrayBuffer(input) ? new Uint8Array(input) : undefined;
}

/** Other threads write to shared memory, and a resizable buffer can be cut short. */
function isUnsteady(buffer: ArrayBufferLike & { readonly resizable?: boolean }): boolean {
  return types.isSharedArrayBuffer(buffer) || buffer.resizable === true;
}
