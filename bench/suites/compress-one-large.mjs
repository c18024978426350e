import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { defineSuite } from '../harness/suite.mjs';
import { algorithmMissing, MIB, operationOf, packed, unpacked } from './support/algorithms.mjs';
import { MEGABYTES_PER_SECOND, OUTPUT_PERCENT } from './support/codec-calls.mjs';
import { oneShot, openPool, piscina } from './support/compressors.mjs';
import { records } from './support/payloads.mjs';

const BYTES = 32 * MIB;
const CHUNK_BYTES = 65_536;

/** How far an output may be from one-shot's, for it depends on how many contexts were free. */
const MOST_SURPLUS = 0.05;

/** Sends the input through a stream, in pieces as a file has them. */
const streaming = (open) => async (input) => {
  const chunks = [];
  const sink = new Writable({
    write(chunk, _, done) {
      chunks.push(chunk);
      done();
    },
  });
  function* pieces() {
    for (let at = 0; at < input.length; at += CHUNK_BYTES) yield input.subarray(at, at + CHUNK_BYTES);
  }
  await pipeline(Readable.from(pieces(), { objectMode: false }), open(), sink);
  return Buffer.concat(chunks);
};

const ways = {
  zlib: {
    ...oneShot,
    how: '`promisify(zlib.gzip)(input)` and its like; for the stream `zlib.createGzip()`',
    make: (operation, isStream) => (isStream ? streaming(() => zlib.createGzip()) : oneShot.make(operation)),
  },
  'piscina, zlib sync': {
    ...piscina,
    missing: ({ isStream }) => (isStream ? 'a task is given all of its input' : undefined),
  },
  'nestjs-pool': {
    how:
      "`new CompressionPool(name, { type: 'compression', algorithm, parallel: {} })`, which is the default but for zstd; " +
      '`compress(input)`, for the stream `createCompress()`',
    source: 'docs/compression.md#large-inputs',
    make: async ({ algorithm }, isStream) => {
      const pool = await openPool({ algorithm, parallel: {} });
      return isStream ? streaming(() => pool.createCompress()) : (input) => pool.compress(input);
    },
  },
};

async function open(make, { algorithm, isStream = false }) {
  const run = await make(operationOf(algorithm, 'compress'), isStream);
  const input = records(BYTES);
  const oneShotBytes = (await packed(algorithm, input)).length;
  const output = await run(input);
  if (input.compare(unpacked(algorithm, output)) !== 0) throw new Error('a wrong output');
  return async () => {
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    const { byteLength } = await run(input);
    const ms = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(cpuBefore);
    const share = byteLength / oneShotBytes;
    if (Math.abs(share - 1) > MOST_SURPLUS) throw new Error(`an output of ${byteLength} bytes`);
    return {
      megabytesPerSecond: BYTES / ms / 1_000,
      cpuMs: (user + system) / 1_000,
      outputPercent: share * 100,
    };
  };
}

const isGzip = ({ algorithm }) => algorithm === 'gzip';

export default defineSuite({
  name: 'compress-one-large',
  title: 'One large input over the cores',
  about:
    'One caller has 32 MiB of records, as JSON, compressed, with nothing else going on. A pool has it done in blocks by all contexts that ' +
    'are free, which makes the output a little larger. More MB/s are better.',
  metrics: [MEGABYTES_PER_SECOND, { key: 'cpuMs', title: 'CPU ms' }, OUTPUT_PERCENT],
  baseline: 'zlib',
  rounds: 9,
  warmUpRounds: 1,
  contenders: Object.fromEntries(
    Object.entries(ways).map(([name, { make, missing, ...way }]) => [
      name,
      {
        ...way,
        missing: (scenario) => algorithmMissing(scenario) ?? missing?.(scenario),
        open: (scenario) => open(make, scenario),
      },
    ]),
  ),
  scenarios: [
    { name: 'gzip, 32 MiB', algorithm: 'gzip' },
    { name: 'zstd, 32 MiB', algorithm: 'zstd' },
    { name: 'gzip, a stream of 32 MiB', algorithm: 'gzip', isStream: true },
  ],
  expectations: [
    { of: (each) => isGzip(each) && !each.isStream, ours: 'nestjs-pool', rival: 'zlib', atLeast: 1.7 },
    { of: isGzip, ours: 'nestjs-pool', rival: 'zlib', metric: 'outputPercent', atMost: 1.01 },
  ],
});
