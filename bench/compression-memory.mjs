// What 10,000 callers cost who compress 16 KiB each at the same moment: by a CompressionPool, and by zlib's one-shot function.
// Each contender runs in a process of its own, so that its peak is its own. Exits with 1 when the pool's peak is over the limit.
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
    const { CompressionPool } = await import('../dist/index.js');
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
  const text = randomText(CALLS * STEP_BYTES + INPUT_BYTES);
  const restMb = peakMb();
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: CALLS }, async (_, call) => {
      const input = text.subarray(call * STEP_BYTES, call * STEP_BYTES + INPUT_BYTES);
      const output = await compress(input);
      const isChecked = call % CHECK_EVERY === 0;
      if (isChecked && !gunzipSync(output).equals(input)) throw new Error(`call ${call} got a wrong output`);
    }),
  );
  return { ms: performance.now() - startedAt, restMb, callsMb: peakMb() - restMb };
}

const peakMb = () => process.resourceUsage().maxRSS / 1024;

function randomText(bytes) {
  const text = Buffer.alloc(bytes);
  let state = 1;
  for (let at = 0; at < bytes;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    at += text.write(`{"id":${state},"name":"user ${(state >>> 8) % 997}"},`, at);
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
    const { ms, restMb, callsMb } = await measureApart(contender);
    const memory = `peak ${format(restMb + callsMb)} MB, of that the calls ${format(callsMb)} MB`;
    console.log(`${contender.padEnd(14)} ${memory}, in ${format(ms)} ms`);
    results.push({ ms, callsMb });
  }
  const [ours, oneShot] = results;
  const [memory, time] = [oneShot.callsMb / ours.callsMb, oneShot.ms / ours.ms];
  console.log(
    `the pool: ${memory.toFixed(1)} times less memory for the calls, ${time.toFixed(1)} times as fast`,
  );
  if (ours.callsMb <= LIMIT_MB) return;
  console.error(`the calls cost the pool more than ${LIMIT_MB} MB`);
  process.exitCode = 1;
}

const format = (value) => value.toFixed(0).padStart(6);

const contender = process.argv[2];
if (contender === undefined) await compare();
else process.send(await measure(contender), () => process.disconnect());
