import type { Transform } from 'node:stream';
import zlib, { type Zlib } from 'node:zlib';
import type { CompressionAlgorithm } from '../../lib/compression/codecs.js';

const PIECE_BYTES = 16 * 2 ** 20;
const PIECES = 640;

/** What every bomb opens to: 10 GiB of zeros. */
export const BOMB_OUTPUT_BYTES = PIECES * PIECE_BYTES;

/** Small inputs that open to 10 GiB, made in a moment: formats that can go on after a flush repeat what follows one. */
export const BOMBS: Record<CompressionAlgorithm, () => Buffer | Promise<Buffer>> = {
  gzip: () => repeated(zlib.gzipSync(Buffer.alloc(PIECE_BYTES))),
  deflate: () => repeatedAfterFlush(zlib.createDeflate(), zlib.constants.Z_FULL_FLUSH),
  'deflate-raw': () => repeatedAfterFlush(zlib.createDeflateRaw(), zlib.constants.Z_FULL_FLUSH),
  brotli: () => {
    const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 };
    return repeatedAfterFlush(zlib.createBrotliCompress({ params }), zlib.constants.BROTLI_OPERATION_FLUSH);
  },
  zstd: () => repeated(zlib.zstdCompressSync(Buffer.alloc(PIECE_BYTES))),
};

/** A single zstd frame of blocks that each say "131,072 times zero" in four bytes. */
export function zstdBombInOneFrame(): Buffer {
  const blockBytes = 131_072;
  const [magic, noContentSize, windowOf128KiB] = [[0x28, 0xb5, 0x2f, 0xfd], 0x00, 0x38];
  const block = Buffer.from([0x02, 0x00, 0x10, 0x00]);
  const blocks = Buffer.alloc((BOMB_OUTPUT_BYTES / blockBytes) * block.length, block);
  blocks[blocks.length - block.length]! |= 1; // the last one says so
  return Buffer.concat([Buffer.from([...magic, noContentSize, windowOf128KiB]), blocks]);
}

function repeated(piece: Buffer): Buffer {
  return Buffer.alloc(PIECES * piece.length, piece);
}

async function repeatedAfterFlush(stream: Transform & Zlib, kind: number): Promise<Buffer> {
  const first = await flushedPiece(stream, kind);
  const further = await flushedPiece(stream, kind);
  stream.destroy();
  return Buffer.concat([first, Buffer.alloc((PIECES - 1) * further.length, further)]);
}

async function flushedPiece(stream: Transform & Zlib, kind: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const take = (chunk: Buffer) => chunks.push(chunk);
  stream.on('data', take);
  stream.write(Buffer.alloc(PIECE_BYTES));
  await new Promise<void>((resolve) => stream.flush(kind, resolve));
  await new Promise((resolve) => setImmediate(resolve));
  stream.off('data', take);
  return Buffer.concat(chunks);
}
