import { CALLS_PER_SECOND, CPU_PER_CALL, throughput } from '../harness/rounds.mjs';
import { contendersOf, defineSuite } from '../harness/suite.mjs';
import { genericPool, nodeRedisPool, ourCommands, rawConnection } from './support/redis-clients.mjs';
import { named, prove, startServer, WORKS } from './support/redis-values.mjs';

async function play(open, { callers }, { url, roundMs }) {
  const client = await open(url);
  await prove(client);
  const { call, check } = WORKS.GET;
  return throughput(call(client), { callers, roundMs, check });
}

export default defineSuite({
  name: 'growth-commands',
  title: 'Redis commands, as the callers grow',
  about:
    'GET of 100 bytes by so many callers at once, each of whom asks again when it is answered. A client that sends what waits in one ' +
    'piece gains by more callers; one that takes a connection for each command gains until its connections are busy. More is better.',
  metrics: [CALLS_PER_SECOND, CPU_PER_CALL],
  baseline: 'raw connection',
  curve: { x: 'callers at once', metric: CALLS_PER_SECOND.key },
  rounds: 9,
  warmUpRounds: 2,
  start: startServer,
  contenders: contendersOf(
    {
      'raw connection': rawConnection,
      'nestjs-pool, commands': ourCommands({
        how: "`new RedisPool(name, { type: 'redis', url })`, `commands`",
      }),
      'generic-pool + ioredis': genericPool(),
      'node-redis, pool': nodeRedisPool(),
    },
    play,
  ),
  scenarios: [1, 10, 100, 1_000, 10_000].map((callers) => ({ name: named(callers), x: callers, callers })),
});
