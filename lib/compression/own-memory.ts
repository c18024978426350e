/** The chunks as one buffer with memory of its own, which nobody else's output shares: whoever has it may hand it on to another thread. */
export function joined(chunks: readonly Uint8Array[], byteLength = sizeOf(chunks)): Buffer {
  const output = Buffer.allocUnsafeSlow(byteLength);
  let offset = 0;
  for (const chunk of chunks) {
    output.set(chunk, offset);
    offset += chunk.length;
  }
  return output;
}

/** The chunk, or a copy where it is a part of something larger: zlib goes on filling the buffer that its chunks are slices of. */
export function ownMemoryOf(chunk: Buffer): Buffer {
  return chunk.length === chunk.buffer.byteLength ? chunk : joined([chunk], chunk.length);
}

function sizeOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((bytes, chunk) => bytes + chunk.length, 0);
}
