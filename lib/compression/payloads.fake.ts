import type { CompressionAlgorithm } from './codecs.js';
import { zstdProblem } from './zstd.codec.js';

/** The built-in algorithms that this Node has. */
export const ALGORITHMS: readonly CompressionAlgorithm[] = [
  'gzip',
  'deflate',
  'deflate-raw',
  'brotli',
  ...(zstdProblem() === undefined ? (['zstd'] as const) : []),
];

/** Numbers from 0 to 1, the same ones for the same seed. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** JSON-like text, which compresses to about a third. */
export function text(bytes: number, seed = 1): Buffer {
  const next = random(seed);
  const words = ['alpha', 'user', 'created', 'Grüße', 'value', 'active', 'https://example.org/'];
  const parts: string[] = [];
  for (let length = 0; length < bytes; length += 20) {
    parts.push(`{"${words[Math.floor(next() * words.length)]}":${Math.floor(next() * 1e6)}},\n`);
  }
  return Buffer.from(parts.join('')).subarray(0, bytes);
}

/** Bytes that cannot be compressed. */
export function noise(bytes: number, seed = 1): Buffer {
  const next = random(seed);
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let index = 0; index < words.length; index++) words[index] = next() * 2 ** 32;
  return Buffer.from(words.buffer, 0, bytes);
}
