import { startDelayProxy } from '../harness/delay-proxy.mjs';
import { CALLS_PER_SECOND, CPU_PER_CALL } from '../harness/rounds.mjs';
import { contendersOf, defineSuite } from '../harness/suite.mjs';
import {
  genericPool,
  glide,
  nodeRedisClient,
  nodeRedisPool,
  ourCommands,
  rawConnection,
} from './support/redis-clients.mjs';
import { named, startServer, workingRounds } from './support/redis-values.mjs';

/** At so many milliseconds; one caller shows what the distance is. */
const CALLERS = { 1: [1, 100, 1_000], 10: [100] };
const DISTANCES_MS = Object.keys(CALLERS).map(Number);
/** What node-redis' pool has by default. */
const MANY = 100;

const play = async (open, { distanceMs, callers }, { urls, roundMs }) =>
  workingRounds(await open(urls[distanceMs]), { callers, roundMs });

/** A hundred connections that send and receive for themselves are too much for a proxy that has to do the same, unless they mostly wait. */
const onlyFarAway = (pool) => ({
  ...pool,
  missing: ({ distanceMs }) => (distanceMs < 10 ? 'would be held up by the proxy' : undefined),
});

async function start() {
  const { context, stop } = await startServer();
  const proxies = await Promise.all(
    DISTANCES_MS.map((delayMs) => startDelayProxy({ port: context.port, delayMs })),
  );
  return {
    context: { urls: Object.fromEntries(DISTANCES_MS.map((ms, nth) => [ms, proxies[nth].url])) },
    stop: () => Promise.all([stop(), ...proxies.map((proxy) => proxy.stop())]),
  };
}

export default defineSuite({
  name: 'redis-distance',
  title: 'Redis at a distance',
  about:
    'GETs of 100 bytes through a proxy, in a process of its own, that adds so much to each round trip. A connection that is lent for each ' +
    'call is idle for that long.',
  metrics: [CALLS_PER_SECOND, CPU_PER_CALL],
  baseline: 'raw connection',
  rounds: 9,
  warmUpRounds: 2,
  start,
  contenders: contendersOf(
    {
      'raw connection': rawConnection,
      'nestjs-pool, commands': ourCommands({
        how: "`new RedisPool(name, { type: 'redis', url })`, `commands`",
      }),
      'generic-pool + ioredis': genericPool(),
      [`generic-pool + ioredis, ${MANY} connections`]: onlyFarAway(genericPool({ connections: MANY })),
      'node-redis': nodeRedisClient,
      'node-redis, pool': nodeRedisPool(),
      [`node-redis, pool, ${MANY} connections`]: onlyFarAway(nodeRedisPool({ connections: MANY })),
      'valkey-glide': glide,
    },
    play,
  ),
  scenarios: DISTANCES_MS.flatMap((distanceMs) =>
    CALLERS[distanceMs].map((callers) => ({
      name: `${distanceMs} ms away, ${named(callers)}`,
      distanceMs,
      callers,
    })),
  ),
});
