import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { CALLS_PER_SECOND, CPU_PER_CALL } from '../harness/rounds.mjs';
import { defineSuite } from '../harness/suite.mjs';
import { KIB, MIB } from './support/algorithms.mjs';
import { callers, MEGABYTES_PER_SECOND, scenarioOf } from './support/codec-calls.mjs';
import { oneShot, ours, piscina, sync } from './support/compressors.mjs';

const SIZES = [KIB, 16 * KIB, 256 * KIB, 4 * MIB];
const LARGE_BYTES = 256 * KIB;
/** Of what zlib has as its default, as many as a pool takes. */
const CHUNK_BYTES = 64 * KIB;

const isLarge = ({ bytes }) => bytes >= LARGE_BYTES;

const inLargerChunks = {
  how: 'the same, `{ chunkSize: 65536 }`, as a pool has it: fewer trips to a thread, for more memory',
  source: 'https://nodejs.org/api/zlib.html#memory-usage-tuning',
  missing: (scenario) => (isLarge(scenario) ? undefined : 'its default holds the output'),
  make: ({ method }) => {
    const call = promisify(zlib[method]);
    return (input) => call(input, { chunkSize: CHUNK_BYTES });
  },
};

const beside = (of, atLeast) => ({ of, ours: 'nestjs-pool', rival: 'one-shot zlib', atLeast });

export default defineSuite({
  name: 'decompress',
  title: 'Decompression by algorithm and size',
  about:
    'What zlib has made of records as JSON, which yield so many bytes, by 16 callers who call again and again. More calls are better. ' +
    'MB/s are of what comes out.',
  metrics: [CALLS_PER_SECOND, MEGABYTES_PER_SECOND, CPU_PER_CALL],
  baseline: 'one-shot zlib',
  rounds: 7,
  warmUpRounds: 2,
  contenders: callers('decompress', {
    'one-shot zlib': oneShot,
    'one-shot zlib, larger chunks': inLargerChunks,
    'zlib sync': sync,
    'piscina, zlib sync': piscina,
    'nestjs-pool': ours,
  }),
  scenarios: ['gzip', 'deflate', 'zstd', 'brotli'].flatMap((algorithm) =>
    SIZES.map((bytes) => scenarioOf(algorithm, bytes, 16)),
  ),
  expectations: [
    beside(({ algorithm, bytes }) => algorithm === 'gzip' && bytes === KIB, 1.4),
    beside(isLarge, 0.97),
  ],
});
