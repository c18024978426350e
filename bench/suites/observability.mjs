import { CALLS_PER_SECOND, CPU_PER_CALL, expectEqual, throughput } from '../harness/rounds.mjs';
import { contendersOf, defineSuite } from '../harness/suite.mjs';
import { KIB } from './support/algorithms.mjs';
import { records } from './support/payloads.mjs';
import { KEYS, startServer, VALUES } from './support/redis-values.mjs';

const DOCS = 'docs/observability.md';
const UNOBSERVED = 'nestjs-pool';
const METERED = 'nestjs-pool, the module of metrics, and nobody listens';
const INSTRUMENTS = 'nestjs-pool, channels and the instruments of an OpenTelemetry SDK';
const PRODUCER = 'nestjs-pool, channels and a PoolMetricProducer';
const PROM_CLIENT = 'nestjs-pool, channels and prom-client';

const INPUT = records(KIB);

/** What each asks of the pools again and again, and how it is known to be right. */
const CALLS = {
  get: {
    callers: 100,
    call: (pools) => {
      const { commands } = pools.get('cache');
      return (nth) => commands.get(KEYS[nth % KEYS.length]);
    },
    check: (value, nth) => expectEqual(value, VALUES[nth % KEYS.length]),
  },
  compress: {
    callers: 16,
    call: (pools) => {
      const pool = pools.get('archive');
      return () => pool.compress(INPUT);
    },
    check: ({ length }) => {
      if (length === 0) throw new Error('an empty output');
    },
  },
};

/** A way to open the pools, with those who watch them. */
const watched =
  ({ channels = false, metrics }) =>
  async (url) => {
    const app = await import('./support/observed-app.mjs');
    if (channels) app.listenToChannels();
    return app.openPools(url, metrics && app[metrics]);
  };

async function play(open, { what }, { url, roundMs }) {
  const { callers, call, check } = CALLS[what];
  const pools = await open(url);
  const { gunzipSync } = await import('node:zlib');
  const output = await pools.get('archive').compress(INPUT);
  expectEqual(gunzipSync(output).toString(), INPUT.toString());
  return throughput(call(pools), { callers, roundMs, check });
}

export default defineSuite({
  name: 'observability',
  title: 'What it costs to watch',
  about:
    'An application with and without those who watch its pools: a subscriber on every channel of `node:diagnostics_channel`, and metrics ' +
    'that are exported once a second. The ratio is what is left of the speed.',
  metrics: [CALLS_PER_SECOND, CPU_PER_CALL],
  baseline: UNOBSERVED,
  rounds: 21,
  warmUpRounds: 5,
  start: startServer,
  contenders: contendersOf(
    {
      [UNOBSERVED]: { how: '`PoolModule.forRoot({ pools })` alone', source: 'README.md', open: watched({}) },
      [METERED]: {
        how: 'and `PoolMetricsModule.forRoot()`, without an SDK',
        source: DOCS,
        open: watched({ metrics: 'toNobody' }),
      },
      'nestjs-pool, channels': {
        how: 'a subscriber on each channel',
        source: DOCS,
        open: watched({ channels: true }),
      },
      [INSTRUMENTS]: {
        how: 'the same, and `PoolMetricsModule.forRoot({ meterProvider })`',
        source: DOCS,
        open: watched({ channels: true, metrics: 'byInstruments' }),
      },
      [PRODUCER]: {
        how: 'the same, with `forRoot({ producer })` and the producer in the reader of the SDK',
        source: DOCS,
        open: watched({ channels: true, metrics: 'byProducer' }),
      },
      [PROM_CLIENT]: {
        how: 'the same, with `forRoot({ prometheus })`',
        source: DOCS,
        open: watched({ channels: true, metrics: 'toPromClient' }),
      },
    },
    play,
  ),
  scenarios: [
    { name: '`commands.get`, 100 callers', what: 'get' },
    { name: '`compress` of 1 KiB, 16 callers', what: 'compress' },
  ],
  expectations: [
    { of: () => true, ours: METERED, rival: UNOBSERVED, atLeast: 0.99 },
    { of: () => true, ours: PRODUCER, rival: UNOBSERVED, atLeast: 0.9 },
    { of: () => true, ours: PROM_CLIENT, rival: UNOBSERVED, atLeast: 0.9 },
    { of: ({ what }) => what === 'get', ours: INSTRUMENTS, rival: UNOBSERVED, atLeast: 0.9 },
  ],
});
