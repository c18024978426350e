import { CALLS_PER_SECOND, CPU_PER_CALL } from '../harness/rounds.mjs';
import { defineSuite } from '../harness/suite.mjs';
import { KIB, MIB } from './support/algorithms.mjs';
import { callers, MEGABYTES_PER_SECOND, OUTPUT_PERCENT, scenarioOf } from './support/codec-calls.mjs';
import { oneShot, ours, piscina, sync } from './support/compressors.mjs';

const SIZES = [KIB, 16 * KIB, 256 * KIB, 4 * MIB];
const LARGE_BYTES = 256 * KIB;

const beside = (of, limits) => ({ of, ours: 'nestjs-pool', rival: 'one-shot zlib', ...limits });
const promised = (algorithm, bytes, atLeast) =>
  beside((each) => each.algorithm === algorithm && each.bytes === bytes && each.callers === 16, { atLeast });
const isLarge = ({ bytes }) => bytes >= LARGE_BYTES;

export default defineSuite({
  name: 'compress',
  title: 'Compression by algorithm, size and callers',
  about:
    'Records as an API sends them, as JSON, by so many callers who call again and again: how many calls are done in a second, what a call ' +
    'takes of all cores, and how large the outputs are. More calls are better.',
  metrics: [CALLS_PER_SECOND, MEGABYTES_PER_SECOND, CPU_PER_CALL, OUTPUT_PERCENT],
  baseline: 'one-shot zlib',
  rounds: 7,
  warmUpRounds: 2,
  contenders: callers('compress', {
    'one-shot zlib': oneShot,
    'zlib sync': {
      ...sync,
      missing: ({ callers, bytes }) => {
        if (callers > 16) return 'as for 16 callers, for they come one after the other';
        return bytes > LARGE_BYTES ? 'as with 256 KiB, for it has one core' : undefined;
      },
    },
    'piscina, zlib sync': piscina,
    'nestjs-pool': ours,
  }),
  scenarios: [
    ...['gzip', 'deflate', 'zstd', 'brotli'].flatMap((algorithm) =>
      SIZES.map((bytes) => scenarioOf(algorithm, bytes, 16)),
    ),
    ...['gzip', 'zstd'].flatMap((algorithm) =>
      [KIB, 16 * KIB].flatMap((bytes) => [1, 1_000].map((count) => scenarioOf(algorithm, bytes, count))),
    ),
  ],
  expectations: [
    promised('gzip', KIB, 2.2),
    promised('gzip', 16 * KIB, 0.97),
    promised('zstd', KIB, 8),
    promised('zstd', 16 * KIB, 2),
    beside(isLarge, { atLeast: 0.97 }),
    // zstd has other parameters for an input whose size it knows, as its synchronous function shows.
    beside((each) => isLarge(each) && each.algorithm !== 'zstd', { metric: 'outputPercent', atMost: 1.01 }),
  ],
});
