import { BlockCrew, type Helpers } from './block-crew.js';
import type { Joiner } from './codec.js';
import type { CodecContext } from './codec-context.js';
import type { BlockSizes } from './compression.options.js';
import { joined } from './own-memory.js';

/** How large inputs are compressed by more than one context. */
export interface InBlocks extends BlockSizes {
  readonly helpers: Helpers;
  readonly newJoiner: () => Joiner;
}

/** Compresses one whole input: a large one in blocks, if another context is free when it begins. */
export function compressWhole(
  own: CodecContext,
  input: Uint8Array,
  { aboveBytes, blockBytes, helpers, newJoiner }: InBlocks,
): Promise<Buffer> {
  if (input.length <= aboveBytes || !helpers.areFree()) return own.compress(input);
  const blocks = cut(input, blockBytes);
  return blocks.length > 1 ? compressInBlocks(own, blocks, helpers, newJoiner()) : own.compress(input);
}

/** Compresses one payload in blocks, whose outputs are joined in their order. */
export async function compressInBlocks(
  own: CodecContext,
  blocks: readonly Uint8Array[],
  helpers: Helpers,
  joiner: Joiner,
): Promise<Buffer> {
  const crew = new BlockCrew(own, helpers);
  const outputs: Buffer[] = [];
  let before = Promise.resolve();
  const join = async (block: Uint8Array, blocksBefore: Promise<void>): Promise<void> => {
    const [output] = await Promise.all([crew.compress(block), blocksBefore]);
    outputs.push(joiner.add(block, output));
  };
  try {
    await Promise.all(blocks.map((block) => (before = join(block, before))));
    return joined([...outputs, joiner.end()]);
  } finally {
    void crew.stop();
  }
}

/** `zlib.zstdDecompress()` goes on to the next frame only where one ends with a chunk of its output, and else leaves out the rest. */
const CHUNK_BYTES = 16_384;

/** Blocks of the same size, of at least so many bytes each; only the last one may be smaller. */
export function cut(input: Uint8Array, leastBytes: number): Uint8Array[] {
  const share = input.length / Math.max(1, Math.floor(input.length / leastBytes));
  const bytes = Math.ceil(share / CHUNK_BYTES) * CHUNK_BYTES;
  const count = Math.ceil(input.length / bytes);
  return Array.from({ length: count }, (_, index) => input.subarray(index * bytes, (index + 1) * bytes));
}
