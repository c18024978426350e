import zlib from 'node:zlib';
import type { Codec } from '../../lib/compression/codec.js';
import { CODECS, type CompressionAlgorithm } from '../../lib/compression/codecs.js';
import { ALGORITHMS } from '../../lib/compression/payloads.fake.js';
import type { OutsideTool } from '../integration/outside-tools.js';

interface Joinable {
  readonly algorithm: CompressionAlgorithm;
  /** Reads all that was joined, as any tool does; of what was cut off, the beginning. */
  readonly unpack: (packed: Buffer, isWhole?: boolean) => Buffer;
  readonly tools: readonly OutsideTool[];
}

/** What `info: true` gives. */
interface Unpacked {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

const unpackMembers = (packed: Buffer, isWhole = true): Buffer =>
  zlib.gunzipSync(packed, isWhole ? {} : { finishFlush: zlib.constants.Z_SYNC_FLUSH });

/** Node's own function reads the first frame only, more often than not. */
function unpackFrames(packed: Buffer, isWhole = true): Buffer {
  const { ZSTD_e_continue, ZSTD_e_end } = zlib.constants;
  const parts: Buffer[] = [];
  for (let at = 0; at < packed.length;) {
    const { buffer, engine } = zlib.zstdDecompressSync(packed.subarray(at), {
      info: true,
      finishFlush: isWhole ? ZSTD_e_end : ZSTD_e_continue,
    }) as unknown as Unpacked;
    parts.push(buffer);
    at += engine.bytesWritten;
  }
  return Buffer.concat(parts);
}

const EVERYWHERE: readonly Joinable[] = [
  { algorithm: 'gzip', unpack: unpackMembers, tools: ['gzip', 'pigz'] },
  { algorithm: 'zstd', unpack: unpackFrames, tools: ['zstd'] },
];

/** The algorithms of this Node whose outputs can be joined, and the programs that read them. */
export const JOINABLE = EVERYWHERE.filter(({ algorithm }) => ALGORITHMS.includes(algorithm));

/** The codec, but in blocks as small as one likes: to fill those of zstd, megabytes would be needed. */
export const inBlocksOf = (algorithm: CompressionAlgorithm): Codec => ({
  ...CODECS[algorithm],
  leastBlockBytes: 1,
});
