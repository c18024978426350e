import { CALLS_PER_SECOND, CPU_PER_CALL } from '../harness/rounds.mjs';
import { contendersOf, defineSuite } from '../harness/suite.mjs';
import { genericPool, nodeRedisLeases, ourLeases } from './support/redis-clients.mjs';
import { named, startServer, workingRounds } from './support/redis-values.mjs';

const play = async (open, { callers }, { url, roundMs }) =>
  workingRounds(await open(url), { callers, roundMs });

const isPromised = ({ callers }) => callers >= 100;

export default defineSuite({
  name: 'redis-leases',
  title: 'Redis connections, lent',
  about:
    'Work that has a connection to itself, here a GET of 100 bytes, on 10 connections. Ours looks at each connection when it comes back, ' +
    'for what its holder left changed or unanswered, and watches for callers who would wait for themselves (`detectDeadlocks`).',
  metrics: [CALLS_PER_SECOND, CPU_PER_CALL],
  baseline: 'generic-pool + ioredis',
  rounds: 9,
  warmUpRounds: 4,
  start: startServer,
  contenders: contendersOf(
    {
      'generic-pool + ioredis': genericPool(),
      'nestjs-pool, use()': ourLeases({
        how: "`new RedisPool(name, { type: 'redis', url, max: 10, shared: 0 })`, `use(task)`",
      }),
      'nestjs-pool, use(), detectDeadlocks: false': ourLeases({
        how: 'the same, with `detectDeadlocks: false`',
        detectDeadlocks: false,
      }),
      'node-redis, pool, execute()': nodeRedisLeases,
    },
    play,
  ),
  scenarios: [1, 100, 1_000].map((callers) => ({ name: named(callers), callers })),
  expectations: [
    { of: isPromised, ours: 'nestjs-pool, use()', rival: 'generic-pool + ioredis', atLeast: 0.85 },
    {
      of: isPromised,
      ours: 'nestjs-pool, use(), detectDeadlocks: false',
      rival: 'generic-pool + ioredis',
      atLeast: 0.95,
    },
  ],
});
