// What 10,000 callers cost who compress 16 KiB each at the same moment: by a CompressionPool, and by zlib's one-shot function.
// Each contender runs in a process of its own, so that its peak is its own: all of it, Node and the library included. (NestJS is
// not: a process that has it, has it anyway.) Exits with 1 when the pool's peak is over the limit.
//
//   npm run build && node bench/compression-memory.mjs

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync, gzip } from 'node:zlib';

const CALLS = 10_000;
const INPUT_BYTES = 16_384;
/** Inputs are windows of one text, each one step further: all distinct, and none with memory of its own. */
const STEP_BYTES = 101;
const CHECK_EVERY = 100;
const LIMIT_MB = 120;

const CONTENDERS = {
  'nestjs-pool': async () => {
    const { CompressionPool } = await import('../dist/compression/compression-pool.js');
    const pool = new CompressionPool('bench', {
      type: 'compression',
      algorithm: 'gzip',
      acquireTimeoutMs: 0,
    });
    return (input) => pool.compress(input);
  },
  'one-shot zlib': () => promisify(gzip),
};

async function measure(contender) {
  const compress = await CONTENDERS[contender]();
  const text = records(CALLS * STEP_BYTES + INPUT_BYTES);
  const startedAt = performance.now();
  const calls = [];
  for (let call = 0; call < CALLS; call += 1) {
    const input = text.subarray(call * STEP_BYTES, call * STEP_BYTES + INPUT_BYTES);
    const output = compress(input);
    calls.push(output.then(call % CHECK_EVERY === 0 ? (gzipped) => check(gzipped, input) : forget));
  }
  await Promise.all(calls);
  return { ms: performance.now() - startedAt, peakMb: process.resourceUsage().maxRSS / 1024 };
}

function check(gzipped, input) {
  if (!gunzipSync(gzipped).equals(input)) throw new Error('a call got a wrong output');
}

const forget = () => undefined;

/** JSON as an API sends it. */
function records(bytes) {
  const text = Buffer.alloc(bytes);
  for (let id = 0, at = 0; at < bytes; id += 1) {
    const name = `user ${id % 97}`;
    at += text.write(
      `{"id":${id},"name":"${name}","active":${id % 3 === 0},"roles":["reader","writer"]},`,
      at,
    );
  }
  return text;
}

async function measureApart(contender) {
  const child = fork(fileURLToPath(import.meta.url), [contender]);
  const [result] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (typeof result !== 'object') throw new Error(`${contender} ended without a result`);
  return result;
}

async function compare() {
  const results = [];
  for (const contender of Object.keys(CONTENDERS)) {
    const result = await measureApart(contender);
    console.log(`${contender.padEnd(14)} peak ${format(result.peakMb)} MB, in ${format(result.ms)} ms`);
    results.push(result);
  }
  const [ours, oneShot] = results;
  const [memory, time] = [oneShot.peakMb / ours.peakMb, oneShot.ms / ours.ms];
  console.log(
    `the pool: ${memory.toFixed(1)} times less memory, ${time.toFixed(1)} times as fast (Node ${process.versions.node})`,
  );
  if (ours.peakMb <= LIMIT_MB) return;
  console.error(`the pool's peak is over ${LIMIT_MB} MB`);
  process.exitCode = 1;
}

const format = (value) => value.toFixed(0).padStart(6);

const contender = process.argv[2];
if (contender === undefined) await compare();
else process.send(await measure(contender), () => process.disconnect());
