import { CALLS_PER_SECOND, CPU_PER_CALL, expectEqual } from '../harness/rounds.mjs';
import { contendersOf, defineSuite } from '../harness/suite.mjs';
import { genericPool, glide, nodeRedisPool, ourCommands } from './support/redis-clients.mjs';
import { startServer, workingRounds } from './support/redis-values.mjs';

const CALLERS = 100;
const BLOCKED = 100;
const CONNECTIONS = 110;

const CLIENTS = {
  'nestjs-pool': ourCommands({
    how: `\`new RedisPool(name, { type: 'redis', url, max: ${CONNECTIONS} })\`, \`commands\``,
    max: CONNECTIONS,
  }),
  'generic-pool + ioredis': genericPool({ connections: CONNECTIONS }),
  'node-redis, pool': nodeRedisPool({ connections: CONNECTIONS }),
  'valkey-glide': glide,
};

const ALONE = 'none blocked';

const playAlone = async (open, _scenario, { url, roundMs }) =>
  workingRounds(await open(url), { callers: CALLERS, roundMs });

async function playBesideBlocked(open, _scenario, { url, roundMs }) {
  const { Redis } = await import('ioredis');
  const control = new Redis(url);
  const client = await open(url);
  const read = await workingRounds(client, { callers: CALLERS, roundMs });
  return async () => {
    const popped = Array.from({ length: BLOCKED }, () => client.pop('jobs'));
    while ((await blockedIn(control)) < BLOCKED);
    const figures = await read();
    expectEqual(await blockedIn(control), BLOCKED);
    const jobs = popped.map((_, nth) => `job ${nth}`);
    await control.rpush('jobs', ...jobs);
    expectEqual((await Promise.all(popped)).toSorted().join(), jobs.toSorted().join());
    return figures;
  };
}

const blockedIn = async (control) => Number(/blocked_clients:(\d+)/.exec(await control.info('clients'))[1]);

export default defineSuite({
  name: 'redis-blocked-neighbours',
  title: 'GETs beside blocked commands',
  about:
    `How many GETs of 100 bytes ${CALLERS} callers get answered while ${BLOCKED} others block in a BLPOP, and while none does. Each BLPOP ` +
    'has a connection to itself, and gets an element at the end of the round.',
  metrics: [CALLS_PER_SECOND, CPU_PER_CALL],
  baseline: `nestjs-pool, ${ALONE}`,
  rounds: 9,
  warmUpRounds: 2,
  start: startServer,
  contenders: Object.fromEntries(
    Object.entries(CLIENTS).flatMap(([name, client]) => [
      ...Object.entries(contendersOf({ [`${name}, ${ALONE}`]: client }, playAlone)),
      ...Object.entries(contendersOf({ [name]: client }, playBesideBlocked)),
    ]),
  ),
  scenarios: [{ name: `${CALLERS} callers beside ${BLOCKED} blocked BLPOPs` }],
  expectations: [{ of: () => true, ours: 'nestjs-pool', rival: `nestjs-pool, ${ALONE}`, atLeast: 0.9 }],
});
