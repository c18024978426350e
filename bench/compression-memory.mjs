// What a CompressionPool and zlib by itself take at their peak: while 10,000 callers compress 16 KiB each at the same moment; while
// 1,000 callers open a bomb each, 10 MB that stand for 10 GB; and while 1 GiB streams through a compressor and a decompressor.
//
//   npm run build && node bench/compression-memory.mjs [words of the scenarios' names…]
//
// Each contender runs in a process of its own, so that its peak is its own: all of it, Node and the library included. (NestJS is
// not: a process that has it, has it anyway.) Exits with 1 when a peak of the pool is over its limit.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { crc32, createGunzip, createGzip, gunzip, gunzipSync, gzip, gzipSync } from 'node:zlib';
import { rows } from './compression-payloads.mjs';

const MIB = 1_048_576;
const OURS = 'nestjs-pool';

const SCENARIOS = {
  '10,000 gzips of 16 KiB': {
    limitMb: 120,
    wantedShare: 1 / 20,
    measure: manyGzips,
    contenders: {
      'one-shot zlib': () => promisify(gzip),
      [OURS]: async () => {
        const pool = await openPool({ acquireTimeoutMs: 0 });
        return (input) => pool.compress(input);
      },
    },
  },
  '1,000 bombs of 10 MB': {
    limitMb: 256,
    measure: manyBombs,
    contenders: {
      'one-shot zlib': () => (bomb, maxOutputLength) => promisify(gunzip)(bomb, { maxOutputLength }),
      [OURS]: async () => {
        const pool = await openPool({ acquireTimeoutMs: 0, maxQueuedBytes: 0 });
        return (bomb, maxOutputBytes) => pool.decompress(bomb, { maxOutputBytes });
      },
    },
  },
  'a stream of 1 GiB': {
    limitMb: 200,
    measure: oneStream,
    contenders: {
      'zlib streams': () => () => [createGzip(), createGunzip()],
      [OURS]: async () => {
        const pool = await openPool({});
        return () => [pool.createCompress(), pool.createDecompress()];
      },
    },
  },
};

async function openPool(options) {
  const { CompressionPool } = await import('../dist/compression/compression-pool.js');
  return new CompressionPool('bench', { type: 'compression', algorithm: 'gzip', ...options });
}

/** Inputs are windows of one text, each one step further: all distinct, and none with memory of its own. */
async function manyGzips(compress) {
  const [calls, inputBytes, stepBytes, checkEvery] = [10_000, 16_384, 101, 100];
  const text = rows(calls * stepBytes + inputBytes);
  const compressOne = async (call) => {
    const input = text.subarray(call * stepBytes, call * stepBytes + inputBytes);
    const output = await compress(input);
    if (call % checkEvery === 0 && !gunzipSync(output).equals(input))
      throw new Error('a call got a wrong output');
  };
  await Promise.all(Array.from({ length: calls }, (_, call) => compressOne(call)));
}

/** Each is refused once it has opened to 1 MiB. */
async function manyBombs(open) {
  const [bombs, members, memberBytes] = [1_000, 640, 16 * MIB];
  const member = gzipSync(Buffer.alloc(memberBytes));
  const bomb = Buffer.alloc(members * member.length, member);
  const outcomes = await Promise.allSettled(Array.from({ length: bombs }, () => open(bomb, MIB)));
  const codes = new Set(outcomes.map(({ reason }) => reason?.code));
  const isRefused = ['ERR_BUFFER_TOO_LARGE', 'ERR_POOL_OUTPUT_TOO_LARGE'].includes([...codes][0]);
  if (codes.size !== 1 || !isRefused) throw new Error(`the bombs ended with ${[...codes].join(', ')}`);
}

async function oneStream(openBoth) {
  const [totalBytes, chunkBytes] = [1_024 * MIB, 65_536];
  const text = rows(4 * MIB);
  const sums = { sent: 0, got: 0, bytes: 0 };
  function* chunks() {
    for (let sent = 0; sent < totalBytes; sent += chunkBytes) {
      const chunk = text.subarray(sent % text.length, (sent % text.length) + chunkBytes);
      sums.sent = crc32(chunk, sums.sent);
      yield chunk;
    }
  }
  const sink = new Writable({
    write(chunk, _, done) {
      sums.got = crc32(chunk, sums.got);
      sums.bytes += chunk.length;
      done();
    },
  });
  await pipeline(Readable.from(chunks(), { objectMode: false }), ...openBoth(), sink);
  if (sums.bytes !== totalBytes || sums.sent !== sums.got)
    throw new Error('other bytes came out than went in');
}

async function measure(scenario, contender) {
  const { contenders, measure: run } = SCENARIOS[scenario];
  const task = await contenders[contender]();
  const startedAt = performance.now();
  await run(task);
  return { ms: performance.now() - startedAt, peakMb: process.resourceUsage().maxRSS / 1_024 };
}

async function measureApart(scenario, contender) {
  const child = fork(fileURLToPath(import.meta.url), [scenario, contender]);
  const [result] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (typeof result !== 'object') throw new Error(`${contender} ended without a result`);
  return result;
}

async function compare(scenario) {
  const { contenders, limitMb, wantedShare = Infinity } = SCENARIOS[scenario];
  console.log(scenario);
  const results = [];
  for (const contender of Object.keys(contenders)) {
    const result = await measureApart(scenario, contender);
    console.log(`  ${contender.padEnd(14)} peak ${format(result.peakMb)} MB, in ${format(result.ms)} ms`);
    results.push(result);
  }
  const [other, ours] = results;
  const [share, speed] = [(ours.peakMb / other.peakMb) * 100, other.ms / ours.ms];
  console.log(`  the pool: ${share.toFixed(1)} % of the memory, ${speed.toFixed(2)} times as fast`);
  if (ours.peakMb <= limitMb && ours.peakMb <= other.peakMb * wantedShare) return;
  const orShare = wantedShare < 1 ? `, or over ${wantedShare * 100} % of the other's` : '';
  console.error(`  the pool's peak is over ${limitMb} MB${orShare}`);
  process.exitCode = 1;
}

const format = (value) => value.toFixed(0).padStart(6);

const [scenario, contender] = process.argv.slice(2);
if (contender in (SCENARIOS[scenario]?.contenders ?? {})) {
  process.send(await measure(scenario, contender), () => process.disconnect());
} else {
  console.log(`Node ${process.versions.node}`);
  const words = process.argv.slice(2);
  for (const name of Object.keys(SCENARIOS).filter((name) => words.every((word) => name.includes(word))))
    await compare(name);
}
