// What being watched costs: `commands.get` with 100 callers and `compress` of 1 KiB with 16, while nobody listens, with a subscriber on
// every channel, with the metrics of OpenTelemetry or prom-client, and with all of that; and, where BASELINE names the `dist` of another
// build, that one with nobody listening.
//
//   npm run build && node bench/observability.mjs
//   BASELINE=/path/to/other/dist node bench/observability.mjs
//
// Each contender has a process of its own, and they run by turns, so that what slows the machine slows all. A round's ratio is to
// "nothing" in the same round; the median is the figure, the range tells how far to trust it. CPU is what all threads of the process spent
// on a call: that says something on a busy machine, too.
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { subscribe, tracingChannel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { startRedisServer } from '../scripts/redis-server.mjs';

const ROUND_MS = 150;
const WARM_UP_ROUNDS = 5;
const ROUNDS = Number(process.env.ROUNDS ?? 21);

const OURS = new URL('../dist/', import.meta.url);
const NOTHING = 'nothing';

/** What listens, by the name of the contender. */
const CONTENDERS = {
  [NOTHING]: {},
  ...(process.env.BASELINE && { 'nothing, the other build': { dist: `${process.env.BASELINE}/` } }),
  channels: { channels: true },
  'metrics of OpenTelemetry': { openTelemetry: true },
  'metrics of prom-client': { prometheus: true },
  'channels, metrics of OpenTelemetry': { channels: true, openTelemetry: true },
  'channels, metrics of prom-client': { channels: true, prometheus: true },
};

const PAYLOAD = Buffer.from(
  JSON.stringify({ name: 'nestjs-pool', words: 'lorem ipsum dolor sit amet '.repeat(40) }),
).subarray(0, 1_024);

/** Each gives how many callers there are, and what one of them does. */
const SCENARIOS = {
  'commands.get': { callers: 100, visit: (pools) => pools.get('cache').commands.get('key') },
  'compress 1 KiB': { callers: 16, visit: (pools) => pools.get('archive').compress(PAYLOAD) },
};

if (process.argv[2] === undefined) await compare();
else await contend(...process.argv.slice(2));

/** A contender's process: runs a round whenever it is asked to, and tells how many visits were made in a second, and the CPU of one. */
async function contend(contender, scenario, redisUrl) {
  const { dist = OURS, channels, ...metrics } = CONTENDERS[contender];
  const pools = await start(typeof dist === 'string' ? pathToFileURL(dist) : dist, metrics, redisUrl);
  if (channels) listenToAll();
  const { callers, visit } = SCENARIOS[scenario];
  process.on('message', async () => {
    let made = 0;
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    const call = async () => {
      for (; performance.now() - startedAt < ROUND_MS; made += 1) await visit(pools);
    };
    await Promise.all(Array.from({ length: callers }, call));
    const { user, system } = process.cpuUsage(cpuBefore);
    const speed = (made / (performance.now() - startedAt)) * 1_000;
    process.send({ speed, cpu: (user + system) / made });
  });
  process.send('ready');
}

async function start(dist, metrics, url) {
  const { PoolModule, PoolRegistry } = await import(new URL('index.js', dist));
  const imports = await Promise.all(metricsModules(dist, metrics));
  const pools = {
    cache: { type: 'redis', url },
    archive: { type: 'compression', algorithm: 'gzip', max: 4 },
  };
  class AppModule {}
  Module({ imports: [...imports, PoolModule.forRoot({ pools })] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  return app.get(PoolRegistry, { strict: false });
}

function metricsModules(dist, { openTelemetry, prometheus }) {
  const moduleWith = async (options) => {
    const { PoolMetricsModule } = await import(new URL('metrics/index.js', dist));
    return PoolMetricsModule.forRoot(await options());
  };
  return [
    ...(openTelemetry ? [moduleWith(openTelemetrySdk)] : []),
    ...(prometheus ? [moduleWith(promClientRegistry)] : []),
  ];
}

/** An SDK that exports once a second, to memory. */
async function openTelemetrySdk() {
  const sdk = await import('@opentelemetry/sdk-metrics');
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
  const reader = new sdk.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000 });
  return { meterProvider: new sdk.MeterProvider({ readers: [reader] }) };
}

async function promClientRegistry() {
  const { Registry } = (await import('prom-client')).default;
  return { prometheus: new Registry() };
}

function listenToAll() {
  const listen = () => undefined;
  for (const name of ['acquire', 'create', 'compress', 'decompress']) {
    const handlers = { start: listen, end: listen, asyncStart: listen, asyncEnd: listen, error: listen };
    tracingChannel(`nestjs-pool:${name}`).subscribe(handlers);
  }
  for (const name of ['leak', 'evict', 'drain', 'breaker']) subscribe(`nestjs-pool:${name}`, listen);
}

async function compare() {
  console.log(`${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.versions.node}`);
  const redis = await startRedisServer();
  try {
    for (const scenario of Object.keys(SCENARIOS)) {
      const results = await measure(scenario, redis.url);
      console.log(
        `\n${`${scenario}, ${ROUNDS} rounds`.padEnd(40)} calls/s   × ${NOTHING}              CPU   × ${NOTHING}`,
      );
      for (const [contender, rounds] of results) console.log(line(contender, rounds, results.get(NOTHING)));
    }
  } finally {
    await redis.stop();
  }
}

async function measure(scenario, redisUrl) {
  const children = new Map();
  for (const contender of Object.keys(CONTENDERS)) {
    const child = fork(fileURLToPath(import.meta.url), [contender, scenario, redisUrl]);
    await once(child, 'message');
    children.set(contender, child);
  }
  const results = new Map([...children.keys()].map((contender) => [contender, []]));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    const turns = round % 2 === 0 ? [...children] : [...children].toReversed();
    for (const [contender, child] of turns) {
      child.send('go');
      const [figures] = await once(child, 'message');
      if (round >= 0) results.get(contender).push(figures);
    }
  }
  for (const child of children.values()) child.kill();
  return results;
}

function line(contender, rounds, baseline) {
  const ratios = rounds.map(({ speed }, round) => speed / baseline[round].speed);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  const cpu = median(rounds.map((round) => round.cpu));
  const cpuRatio = median(baseline.map((round) => round.cpu)) / cpu;
  const speed = median(rounds.map((round) => round.speed))
    .toFixed(0)
    .padStart(9);
  return `${contender.padEnd(38)} ${speed}   ${median(ratios).toFixed(3)} (${range})   ${cpu.toFixed(2)} µs   ${cpuRatio.toFixed(3)}`;
}

function median(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
