import { afterEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { HASTY, RedisLoad } from './redis-load.js';
import { useRedisServer } from './redis-server.js';

const server = useRedisServer();

let pool: RedisPool;

afterEach(() => pool.drain({ timeoutMs: 0 }));

/** A few callers of a pool whose clients treat ECHO in their own way. */
async function loadOf(echo?: () => Promise<string>): Promise<RedisLoad> {
  pool = new RedisPool('cache', {
    type: 'redis',
    url: server.url,
    ...HASTY,
    createClient: (options) => Object.assign(new Redis(options), echo && { echo }),
  });
  const load = new RedisLoad(pool, { seed: 1, callers: 20, patienceMs: 1_000 });
  load.start();
  await load.servesEverybody();
  await load.stop();
  return load;
}

it('A RedisLoad has nothing to complain of where everything is right', async () => {
  const { complaints, outcomes } = await loadOf();
  expect(complaints).toEqual([]);
  expect(Object.keys(outcomes)).toEqual(['served']);
});

it.each([
  ['a reply that is not its own', () => Promise.resolve("somebody else's"), /got "somebody else's" instead/],
  ['an error that does not say what is wrong', () => Promise.reject(new Error('oops')), /with Error: oops/],
  ['that it is forgotten', () => new Promise<string>(() => undefined), /neither result nor error/],
])('A caller of a RedisLoad notices %s', async (_what, echo, complaint) => {
  const { complaints } = await loadOf(echo);
  expect(complaints).toContainEqual(expect.stringMatching(complaint));
});
