import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { useRedisServer } from '../support/redis-server.js';

const server = useRedisServer();

/** An object without a prototype, as `querystring.parse()` gives. */
const parsed = Object.assign(Object.create(null) as object, { name: 'value' });
const trap = {
  toString() {
    throw new Error('a trap');
  },
};

let pool: RedisPool;
beforeAll(() => {
  pool = new RedisPool('cache', { type: 'redis', url: server.url, max: 2 });
});
afterAll(() => pool.drain());

const turn = () => new Promise(setImmediate);

type Call = (value: string) => Promise<unknown>;

const CALLS: [how: string, call: Call][] = [
  ['a command', (value) => pool.commands.set('key', value)],
  ['a command by call()', (value) => pool.commands.call('SET', 'key', value)],
  ['a command that blocks', (value) => pool.commands.blpop(value, 0.01)],
  ['a command that blocks for that time', (value) => pool.commands.blpop('list', value)],
  ['a pipeline that blocks for that time', (value) => pool.commands.pipeline().blpop('list', value).exec()],
  ['a pipeline', (value) => pool.commands.pipeline().set('key', 1).set('key', value).get('key').exec()],
  ['a transaction', (value) => pool.commands.multi().set('key', 1).set('key', value).exec()],
  [
    'a pipeline that is collected for a while',
    async (value) => {
      const pipeline = pool.commands.pipeline().set('key', 1).set('key', value);
      await turn();
      return pipeline.exec();
    },
  ],
  ['a lease', (value) => pool.use((redis) => redis.set('key', value))],
  [
    'a pipeline of a lease',
    (value) => pool.use((redis) => redis.pipeline().set('key', 1).set('key', value).exec()),
  ],
  [
    'a transaction of a lease',
    (value) =>
      pool.use((redis) =>
        redis
          .multi([['set', 'key', 1]])
          .set('key', value)
          .exec(),
      ),
  ],
  [
    'a transaction inside a pipeline of a lease',
    (value) => pool.use((redis) => redis.pipeline([['multi'], ['set', 'key', value], ['exec']]).exec()),
  ],
  [
    'a transaction of a lease without a pipeline',
    (value) =>
      pool.use(async (redis) => {
        await redis.multi({ pipeline: false });
        return redis.set('key', value);
      }),
  ],
  [
    'transaction()',
    (value) => pool.transaction(['key'], (redis) => Promise.resolve(redis.multi().set('key', value))),
  ],
];

describe.each([
  ['without a prototype', parsed],
  ['whose toString() throws', trap],
])('An object %s, given as an argument', (_what, object) => {
  it.each(CALLS)(
    'is refused before anything is sent, and everybody else is served: %s',
    async (_how, call) => {
      await pool.commands.del('key');
      const neighbours = () => [1, 2, 3].map((number) => pool.commands.echo(`neighbour ${number}`));
      const before = neighbours();
      const refused = call(object as unknown as string);
      const after = neighbours();
      await expect(refused).rejects.toMatchObject({ code: 'ERR_POOL_COMMAND_REFUSED' });
      const replies = await Promise.all([...before, ...after]);
      expect(replies).toEqual([1, 2, 3, 1, 2, 3].map((number) => `neighbour ${number}`));
      await expect(pool.use((redis) => redis.echo('next'))).resolves.toBe('next');
      await expect(pool.commands.get('key')).resolves.toBeNull();
      expect(pool.stats()).toMatchObject({ destroyed: 0 });
    },
  );
});
