import { crc32 } from 'node:zlib';
import type { Joiner } from './codec.js';

/** What zlib writes in front of each block: a header without anything optional (RFC 1952, 2.3). */
const HEADER_BYTES = 10;

/** An empty block of deflate's own which says that none follows (RFC 1951, 3.2.3). */
const LAST_BLOCK = 0x0003;

/**
 * Makes one gzip member of blocks, as pigz does. A member for each would be gzip as well, but Chromium shows only the first member of an
 * HTTP body, without a word, and curl fails at the second.
 */
export class GzipJoiner implements Joiner {
  #checksum = 0;
  #bytes = 0;
  #hasHeader = false;

  /** A block's output ends on a byte, and neither with the last block nor with a checksum. */
  add(block: Uint8Array, output: Buffer): Buffer {
    if (block.length > 0) this.#checksum = crc32(block, this.#checksum); // of nothing it is 0, whatever came before
    this.#bytes += block.length;
    const isFirst = !this.#hasHeader;
    this.#hasHeader = true;
    return isFirst ? output : output.subarray(HEADER_BYTES);
  }

  end(): Buffer {
    const end = Buffer.allocUnsafeSlow(10);
    end.writeUInt16LE(LAST_BLOCK, 0);
    end.writeUInt32LE(this.#checksum, 2);
    end.writeUInt32LE(this.#bytes % 2 ** 32, 6);
    return end;
  }
}
