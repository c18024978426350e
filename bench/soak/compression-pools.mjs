// Compression pools that get payloads of all sizes, damaged ones and bombs, from callers of whom some give up. No payload is like
// another, so that an output meant for somebody else shows.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import zlib from 'node:zlib';
import { CompressionPool } from '../../dist/index.js';
import { attempt, checkCounts, count, crowd, end, Mixup, oneOf, upTo } from './record.mjs';

const CALLERS = 5;
const LIFE_MS = { least: 10_000, more: 20_000 };
const MOST_BYTES = 300_000;
const DECODERS = {
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
  'deflate-raw': zlib.inflateRawSync,
  brotli: zlib.brotliDecompressSync,
  ...(zlib.zstdDecompressSync && { zstd: zlib.zstdDecompressSync }),
};

export async function liveWithCompressionPools(isOver) {
  await Promise.all(Object.keys(DECODERS).map((algorithm) => onePoolAfterTheOther(algorithm, isOver)));
}

async function onePoolAfterTheOther(algorithm, isOver) {
  while (!isOver()) {
    count('compression pools');
    const pool = new CompressionPool(algorithm, {
      type: 'compression',
      algorithm,
      max: 2,
      acquireTimeoutMs: 500,
      idleTimeoutMs: 1_000,
      maxUses: oneOf([0, 100]),
      maxOutputBytes: MOST_BYTES * 2,
    });
    const until = performance.now() + LIFE_MS.least + upTo(LIFE_MS.more);
    const isOverHere = () => isOver() || performance.now() > until;
    await crowd(CALLERS, isOverHere, (caller, turn) => call(pool, `${algorithm}:${caller}:${turn}:`));
    await end(pool);
  }
}

async function call(pool, own) {
  await attempt('compression', () => oneOf(HABITS)(pool, payload(own)));
  checkCounts(pool);
  await sleep(upTo(20));
}

/** Half of it is noise, the rest is always the same. Small ones are more likely than large ones. */
function payload(own) {
  const bytes = Buffer.alloc(Math.floor(MOST_BYTES * upTo(1) ** 4), own);
  randomBytes(bytes.length >> 1).copy(bytes, own.length);
  return Buffer.concat([Buffer.from(own), bytes]);
}

const HABITS = [
  async (pool, input) => same(await pool.decompress(await pool.compress(input)), input),
  async (pool, input) => same(DECODERS[pool.name](await pool.compress(input)), input),
  async (pool, input) => {
    const texts = ['a', 'b', 'c'].map((letter) => letter + input.toString('base64'));
    const packed = await Promise.all(texts.map((text) => pool.compress(text, { priority: 'low' })));
    texts.forEach((text, index) => same(DECODERS[pool.name](packed[index]), Buffer.from(text)));
  },
  async (pool, input) => {
    const signal = AbortSignal.timeout(Math.ceil(upTo(10)));
    same(await pool.decompress(await pool.compress(input, { signal }), { signal }), input);
  },
  async (pool, input) =>
    same(await pool.compress(input, { timeoutMs: 1 }).then((out) => pool.decompress(out)), input),
  async (pool, input) => {
    const packed = await pool.compress(input);
    await mustFail(pool.decompress(packed.subarray(0, packed.length >> 1)), 'truncated');
  },
  (pool, input) =>
    mustFail(pool.decompress(Buffer.concat([Buffer.from('?!'), input])), 'no compressed data at all'),
  async (pool, input) => {
    const bomb = await pool.compress(Buffer.concat([input, Buffer.alloc(MOST_BYTES)]));
    await mustFail(pool.decompress(bomb, { maxOutputBytes: MOST_BYTES - 1 }), 'a bomb');
  },
];

function same(output, input) {
  if (!output.equals(input)) throw new Mixup(`an output that is not its input's: ${output.subarray(0, 40)}`);
}

async function mustFail(work, what) {
  const output = await work.catch((error) => error);
  if (Buffer.isBuffer(output)) throw new Mixup(`${what} was read all the same`);
  throw output;
}
