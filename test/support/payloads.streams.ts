import { Readable, Writable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from '@jest/globals';
import type { CompressionPool } from '../../lib/compression/compression-pool.js';
import { text } from '../../lib/compression/payloads.fake.js';
import { cut } from './payloads.js';

const SAMPLE = text(3_000, 7);
const ENDLESS_BYTES = 32 * 2 ** 20;

/** One turn of the event loop. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

export async function turns(count: number): Promise<void> {
  for (let each = 0; each < count; each++) await turn();
}

/** Whoever is gone is waited for as long as zlib is at work for him. */
export async function untilAllIsBack(pool: CompressionPool): Promise<void> {
  while (pool.stats().leased > 0) await turn();
}

/** Resolves when nothing has gone in or out for a while; or when so much has that it will not end. */
export async function untilItRests(stream: {
  readonly bytesIn: number;
  readonly bytesOut: number;
}): Promise<void> {
  const whileMs = 50;
  let [moved, restsSince] = [-1, 0];
  do {
    if (moved !== stream.bytesIn + stream.bytesOut) restsSince = performance.now();
    moved = stream.bytesIn + stream.bytesOut;
    await turn();
  } while (performance.now() - restsSince < whileMs && moved < ENDLESS_BYTES);
}

/** Keeps what it is given, and takes each chunk only some turns of the event loop later. */
export class Sink extends Writable {
  readonly #chunks: Buffer[] = [];
  readonly #turnsPerChunk: number;

  constructor(turnsPerChunk = 0) {
    super({ highWaterMark: 1 });
    this.#turnsPerChunk = turnsPerChunk;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    void turns(this.#turnsPerChunk).then(done);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** What comes out of `stream` when the chunks go in. */
export async function through(stream: Duplex, chunks: Iterable<Buffer>, sink = new Sink()): Promise<Buffer> {
  await pipeline(Readable.from(chunks, { objectMode: false }), stream, sink);
  return sink.bytes;
}

/** So many bytes after the other; as a file gives them, where it is not said. */
export function* inPieces(input: Buffer, bytes = 65_536): Iterable<Buffer> {
  for (let at = 0; at < input.length; at += bytes) yield input.subarray(at, at + bytes);
}

/** One byte after the other. */
export const bytewise = (input: Buffer): Iterable<Buffer> => inPieces(input, 1);

/** Whatever was done to them, the contexts of a pool serve both ways, in pieces and as a whole. */
export async function expectToServe(pool: CompressionPool): Promise<void> {
  await untilAllIsBack(pool);
  const packed = await through(pool.createCompress(), cut(SAMPLE, [0.3, 0.6]));
  expect((await through(pool.createDecompress(), cut(packed, [0.5]))).equals(SAMPLE)).toBe(true);
  expect((await pool.decompress(await pool.compress(SAMPLE))).equals(SAMPLE)).toBe(true);
  expect(pool.stats().size).toBeLessThanOrEqual(2);
}
