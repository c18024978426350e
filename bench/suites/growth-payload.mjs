import { CALLS_PER_SECOND, CPU_PER_CALL } from '../harness/rounds.mjs';
import { defineSuite } from '../harness/suite.mjs';
import { callers, MEGABYTES_PER_SECOND } from './support/codec-calls.mjs';
import { oneShot, ours } from './support/compressors.mjs';

const MOST_CALLERS = 16;
/** More than this would take a slow machine longer than callers wait. */
const BYTES_AT_ONCE = 100_000_000;

const SIZES = {
  '100 B': 100,
  '1 KB': 1_000,
  '10 KB': 10_000,
  '100 KB': 100_000,
  '1 MB': 1_000_000,
  '10 MB': 10_000_000,
  '100 MB': 100_000_000,
};

export default defineSuite({
  name: 'growth-payload',
  title: 'gzip, as the payload grows',
  about:
    `JSON of so many bytes, compressed for ${MOST_CALLERS} callers at once, or for fewer where they would bring more than ` +
    `${BYTES_AT_ONCE / 1e6} MB together. Small ones cost what a call costs, large ones what compressing costs. More is better.`,
  metrics: [MEGABYTES_PER_SECOND, CALLS_PER_SECOND, CPU_PER_CALL],
  baseline: 'one-shot zlib',
  curve: { x: 'bytes of the payload', metric: MEGABYTES_PER_SECOND.key },
  rounds: 7,
  warmUpRounds: 1,
  contenders: callers('compress', { 'one-shot zlib': oneShot, 'nestjs-pool': ours }),
  scenarios: Object.entries(SIZES).map(([size, bytes]) => {
    const count = Math.min(MOST_CALLERS, Math.floor(BYTES_AT_ONCE / bytes));
    const name = `${size}, ${count} ${count === 1 ? 'caller' : 'callers'}`;
    return { name, x: bytes, algorithm: 'gzip', bytes, callers: count };
  }),
});
