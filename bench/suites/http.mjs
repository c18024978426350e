import { once } from 'node:events';
import { defineSuite } from '../harness/suite.mjs';
import { KIB, MIB } from './support/algorithms.mjs';
import { openPool } from './support/compressors.mjs';
import { records } from './support/payloads.mjs';

/** Requests need more time than calls to become steady, and a load generator to begin. */
const SHARE_OF_ROUND = 4;
const SAMPLE_MS = 20;

const contenders = {
  compression: {
    how: '`app.use(compression())`: its defaults, which are level 6 from 1 KiB on',
    source: 'https://github.com/expressjs/compression#express',
    middleware: async () => (await import('compression')).default(),
  },
  'nestjs-pool': {
    how:
      "`new CompressionPool(name, { type: 'compression', algorithm: 'gzip' })`, level 6, in a middleware of twenty lines that has each " +
      'text from 1 KiB on compressed: bench/suites/support/compress-responses.mjs',
    source: 'docs/compression.md',
    middleware: async () => {
      const { compressResponses } = await import('./support/compress-responses.mjs');
      return compressResponses(await openPool({ algorithm: 'gzip' }));
    },
  },
};

/** Without ETags: they would be of what is sent, which for one of them is ten times smaller. */
async function serve(middleware, body) {
  const { default: express } = await import('express');
  const app = express();
  app.disable('etag').use(middleware);
  app.get('/', (_, response) => response.type('json').send(body));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}/`;
}

async function checkOne(url, body) {
  const response = await globalThis.fetch(url, { headers: { 'accept-encoding': 'gzip' } });
  if (response.headers.get('content-encoding') !== 'gzip') throw new Error('the answer is not compressed');
  if ((await response.text()) !== body) throw new Error('the answer is another one');
}

async function open(middleware, { bytes, connections }, { roundMs }) {
  const body = records(bytes).toString();
  const url = await serve(middleware, body);
  await checkOne(url, body);
  const { default: autocannon } = await import('autocannon');
  const load = {
    url,
    connections,
    headers: { 'accept-encoding': 'gzip' },
    duration: (roundMs * SHARE_OF_ROUND) / 1_000,
    sampleInt: SAMPLE_MS,
    workers: 1,
  };
  return async () => {
    const result = await autocannon(load);
    const { errors, non2xx, timeouts } = result;
    if (errors + non2xx + timeouts > 0 || result['2xx'] === 0)
      throw new Error(`${result['2xx']} answers, ${errors} errors, ${non2xx} of another status`);
    return {
      requestsPerSecond: (result['2xx'] / (result.finish - result.start)) * 1_000,
      p99Ms: result.latency.p99,
    };
  };
}

export default defineSuite({
  name: 'http',
  title: 'Responses compressed by an HTTP server',
  about:
    'A server of Express 5 that answers with a text of records, as JSON, which it gzips each time, under the load of autocannon, which ' +
    'has a thread of its own in the same process (so its memory and its core are in the figures of both). More requests are better, ' +
    'less of the rest.',
  metrics: [
    { key: 'requestsPerSecond', title: 'requests/s' },
    { key: 'p99Ms', title: 'p99 ms' },
    { key: 'peakMb', title: 'peak MB' },
  ],
  baseline: 'compression',
  rounds: 7,
  warmUpRounds: 1,
  contenders: Object.fromEntries(
    Object.entries(contenders).map(([name, { middleware, ...contender }]) => [
      name,
      {
        ...contender,
        open: async (scenario, context) => open(await middleware(), scenario, context),
      },
    ]),
  ),
  scenarios: [
    { name: '2 KiB, 64 connections', bytes: 2 * KIB, connections: 64 },
    { name: '32 KiB, 64 connections', bytes: 32 * KIB, connections: 64 },
    { name: '1 MiB, 4 connections', bytes: MIB, connections: 4 },
  ],
});
