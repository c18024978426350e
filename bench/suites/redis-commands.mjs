import { CALLS_PER_SECOND, CPU_PER_CALL } from '../harness/rounds.mjs';
import { contendersOf, defineSuite } from '../harness/suite.mjs';
import {
  autopipelining,
  genericPool,
  glide,
  nodeRedisClient,
  nodeRedisPool,
  ourCommands,
  rawConnection,
} from './support/redis-clients.mjs';
import { named, startServer, workingRounds } from './support/redis-values.mjs';

const CALLERS = { GET: [1, 10, 100, 1_000], SET: [1, 100, 1_000], 'a pipeline of 10 GETs': [1, 10, 100] };

const play = async (open, scenario, { url, roundMs }) =>
  workingRounds(await open(url), { ...scenario, roundMs });

const isPromised = ({ work, callers }) => callers >= 100 && work in { GET: 1, SET: 1 };

export default defineSuite({
  name: 'redis-commands',
  title: 'Redis commands',
  about:
    'How many commands so many callers get answered, who each send the next when the last was answered; values of 100 bytes. ' +
    'The raw connection is there twice: what differs between the two is noise.',
  metrics: [CALLS_PER_SECOND, CPU_PER_CALL],
  baseline: 'raw connection',
  rounds: 9,
  warmUpRounds: 4,
  start: startServer,
  contenders: contendersOf(
    {
      'raw connection': rawConnection,
      'raw connection, again': { ...rawConnection, isControl: true },
      'raw connection, autopipelining': autopipelining,
      'nestjs-pool, commands': ourCommands({
        how: "`new RedisPool(name, { type: 'redis', url })`, `commands`",
      }),
      'generic-pool + ioredis': genericPool(),
      'node-redis': nodeRedisClient,
      'node-redis, pool': nodeRedisPool(),
      'valkey-glide': glide,
    },
    play,
  ),
  scenarios: Object.entries(CALLERS).flatMap(([work, counts]) =>
    counts.map((callers) => ({ name: `${work}, ${named(callers)}`, work, callers })),
  ),
  expectations: [
    { of: isPromised, ours: 'nestjs-pool, commands', rival: 'raw connection', atLeast: 0.95 },
    { of: isPromised, ours: 'nestjs-pool, commands', rival: 'generic-pool + ioredis', atLeast: 1.5 },
    { of: isPromised, ours: 'nestjs-pool, commands', rival: 'node-redis, pool', atLeast: 2 },
  ],
});
