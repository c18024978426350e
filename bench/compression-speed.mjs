// How fast a CompressionPool is beside zlib's one-shot functions (promisified), its synchronous ones, and those in piscina's threads.
//
//   npm run build && npm ci --prefix bench && node bench/compression-speed.mjs [words of the scenarios' names…]
//
// Each contender has a process of its own and all run by turns, so that what slows the machine slows all. A round's ratio is to the
// one-shot functions in the same round; the median is the figure, the range tells how far to trust it. Every contender's outputs are
// checked before it is timed. Piscina is left out where it is not installed, zstd where Node does not have it.
// Exits with 1 when the pool misses what is wanted of it.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import * as payloads from './compression-payloads.mjs';

const KIB = 1_024;
const MIB = 1_048_576;
const CALLERS = 16;
const ROUND_MS = Number(process.env.ROUND_MS ?? 120);
const ROUNDS = Number(process.env.ROUNDS ?? 7);
const DISTINCT_BYTES = 8 * MIB;

/** `records`, or `rows`, which are easier to compress: then more of the time goes into what the pool spares. */
const PAYLOAD = process.env.PAYLOAD ?? 'records';

const brotliOptions = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };

/** What is done, as zlib calls it; `inverse` undoes it. The level is the pool's default, which for brotli is not zlib's. */
const OPERATIONS = {
  gzip: { algorithm: 'gzip', compresses: true, inverse: 'gunzip' },
  gunzip: { algorithm: 'gzip', compresses: false, inverse: 'gzip' },
  deflate: { algorithm: 'deflate', compresses: true, inverse: 'inflate' },
  zstdCompress: { algorithm: 'zstd', compresses: true, inverse: 'zstdDecompress' },
  zstdDecompress: { algorithm: 'zstd', compresses: false, inverse: 'zstdCompress' },
  brotliCompress: {
    algorithm: 'brotli',
    compresses: true,
    inverse: 'brotliDecompress',
    options: brotliOptions,
  },
};

/** How many times the one-shot function the pool is wanted to be. */
const WANTED = {
  gzip: { [KIB]: 3, [16 * KIB]: 1.4, [32 * MIB]: 1.7 },
  gunzip: { [KIB]: 1.4 },
  zstdCompress: { [KIB]: 8, [16 * KIB]: 2 },
};
const WANTED_OF_LARGE_INPUTS = { fromBytes: 256 * KIB, ratio: 0.97 };
const MOST_SURPLUS_BYTES = 0.01;

const SCENARIOS = [
  ...Object.keys(OPERATIONS).flatMap((method) =>
    [KIB, 16 * KIB, 256 * KIB, 4 * MIB].map((bytes) => ({ method, bytes, callers: CALLERS })),
  ),
  { method: 'gzip', bytes: 32 * MIB, callers: 1 },
].map((scenario) => ({ ...scenario, name: nameOf(scenario) }));

/** What a round tells. */
const RATES = ['callsPerSecond', 'megabytesPerSecond', 'cpuMicroseconds'];

const BASELINE = 'one-shot zlib';
const OURS = 'nestjs-pool';

/** Each makes a function of the input to the output. */
const CONTENDERS = {
  [BASELINE]: ({ method, options }) => {
    const oneShot = promisify(zlib[method]);
    return (input) => oneShot(input, options);
  },
  'zlib sync': ({ method, options }) => {
    const sync = zlib[`${method}Sync`];
    return async (input) => sync(input, options);
  },
  'piscina, zlib sync': async ({ method, options }) => {
    const { Piscina } = await import('piscina');
    const filename = new URL('compression-worker.mjs', import.meta.url).href;
    const threads = new Piscina({ filename, maxThreads: availableParallelism() });
    return (input) => threads.run({ method, input, options });
  },
  [OURS]: async ({ algorithm, compresses }) => {
    const { CompressionPool } = await import('../dist/compression/compression-pool.js');
    const pool = new CompressionPool('bench', { type: 'compression', algorithm });
    return compresses ? (input) => pool.compress(input) : (input) => pool.decompress(input);
  },
};

const [contender, method, bytes, callers] = process.argv.slice(2);
if (contender in CONTENDERS)
  await contend(contender, { method, bytes: Number(bytes), callers: Number(callers) });
else await compare(process.argv.slice(2));

/** A contender's process: runs a round whenever it is asked to, and tells how many megabytes per second went in or came out. */
async function contend(name, { method, bytes, callers }) {
  const operation = { method, ...OPERATIONS[method] };
  const inputs = inputsFor(operation, bytes, callers);
  const run = await CONTENDERS[name](operation);
  const outputBytes = await check(run, operation, inputs);
  process.on('message', async () => process.send(await round(run, inputs, { bytes, callers })));
  process.send({ outputBytes });
}

async function round(run, inputs, { bytes, callers }) {
  let calls = 0;
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const caller = async () => {
    do await run(inputs[calls++ % inputs.length]);
    while (performance.now() - startedAt < ROUND_MS);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    megabytesPerSecond: (calls * bytes) / ms / 1_000,
    callsPerSecond: (calls / ms) * 1_000,
    cpuMicroseconds: (user + system) / calls,
  };
}

function inputsFor({ compresses, inverse }, bytes, callers) {
  const distinct = Math.max(1, Math.min(callers, Math.floor(DISTINCT_BYTES / bytes)));
  const texts = Array.from({ length: distinct }, (_, index) => payloads[PAYLOAD](bytes, index + 1));
  // Copied, for what is sent to a thread takes all the memory with it that its buffer is a part of.
  return compresses
    ? texts
    : texts.map((text) => Buffer.from(new Uint8Array(zlib[`${inverse}Sync`](text)).buffer));
}

/** Every input's output, all at once, is what zlib says. Resolves to the bytes of the first. */
async function check(run, { method, compresses, inverse }, inputs) {
  const outputs = await Promise.all(inputs.map(run));
  outputs.forEach((output, index) => {
    const [got, wanted] = compresses
      ? [zlib[`${inverse}Sync`](output), inputs[index]]
      : [output, zlib[`${method}Sync`](inputs[index])];
    if (wanted.compare(got) !== 0) throw new Error('a call got a wrong output');
  });
  return outputs[0].byteLength;
}

async function compare(words) {
  const names = await contendersHere();
  console.log(
    `${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.versions.node}, ${PAYLOAD}; ${load()}`,
  );
  const chosen = SCENARIOS.filter(({ name }) => words.every((word) => name.includes(word)));
  const here = chosen.filter(({ method }) => method in zlib);
  if (here.length < chosen.length) console.log('zstd is left out: this Node does not have it');
  for (const scenario of here) report(scenario, await measure(scenario, names));
  console.log(`\n${load()}`);
}

async function contendersHere() {
  const hasPiscina = await import('piscina').then(
    () => true,
    () => false,
  );
  if (!hasPiscina) console.log('piscina is left out: it is not installed (npm ci --prefix bench)');
  return Object.keys(CONTENDERS).filter((name) => hasPiscina || !name.startsWith('piscina'));
}

async function measure({ method, bytes, callers }, names) {
  const contenders = [];
  for (const name of names) {
    const child = fork(fileURLToPath(import.meta.url), [name, method, bytes, callers]);
    const { outputBytes } = await answerOf(child, name);
    contenders.push({ name, child, outputBytes, rounds: [] });
  }
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const { name, child, rounds } of inTurn(contenders, round)) {
      child.send('go');
      const result = await answerOf(child, name);
      if (round >= 0) rounds.push(result);
    }
  }
  for (const { child } of contenders) child.kill();
  return contenders;
}

async function answerOf(child, name) {
  const [answer] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (typeof answer !== 'object') throw new Error(`${name} ended without a result`);
  return answer;
}

function report({ name, method, bytes }, contenders) {
  const baseline = contenders.find((each) => each.name === BASELINE);
  console.log(`\n${name.padEnd(36)} calls/s    MB/s  CPU µs/call   × ${BASELINE}`);
  for (const { name: contender, rounds, outputBytes } of contenders) {
    const [rates, megabytes, cpu] = RATES.map((rate) => rounds.map((round) => round[rate]));
    const ratios = rates.map((rate, round) => rate / baseline.rounds[round].callsPerSecond);
    const range = `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
    const surplus = outputBytes / baseline.outputBytes - 1;
    const notes = contender === OURS ? verdict(method, bytes, median(ratios), surplus) : '';
    console.log(
      `  ${contender.padEnd(22)} ${count(rates, 18)} ${count(megabytes, 7)} ${count(cpu, 12)}   ${range}${notes}`,
    );
  }
}

function verdict(method, bytes, ratio, surplus) {
  const { fromBytes, ratio: ofLarge } = WANTED_OF_LARGE_INPUTS;
  const isLarge = bytes >= fromBytes;
  const wanted = WANTED[method]?.[bytes] ?? (isLarge ? ofLarge : undefined);
  const more = isLarge && surplus > 0 ? `, ${(surplus * 100).toFixed(2)} % more bytes` : '';
  if (wanted === undefined) return more;
  const isMet = ratio >= wanted && (!isLarge || surplus <= MOST_SURPLUS_BYTES);
  if (!isMet) process.exitCode = 1;
  return `${more}, wanted ${wanted}: ${isMet ? 'met' : 'MISSED'}`;
}

function nameOf({ method, bytes, callers }) {
  const size = bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
  return `${method} of ${size}, ${callers} ${callers === 1 ? 'caller' : 'callers'}`;
}

/** None always goes first. */
function inTurn(entries, round) {
  return round % 2 === 0 ? entries : entries.toReversed();
}

function median(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function count(values, width) {
  return Math.round(median(values)).toLocaleString('en').padStart(width);
}

function load() {
  return `load of the machine: ${loadavg()[0].toFixed(2)}`;
}
