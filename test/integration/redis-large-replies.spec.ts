import { afterEach, describe, expect, it } from '@jest/globals';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { useRedisServer } from '../support/redis-server.js';

const LARGE_BYTES = 64 * 1_024 * 1_024;

const server = useRedisServer();
let pool: RedisPool;

afterEach(() => pool.drain());

/** How many small replies came while a large one was on its way. */
async function overtaking(shared: number): Promise<number> {
  pool = new RedisPool('cache', { type: 'redis', url: server.url, shared });
  const { commands } = pool;
  await commands.mset('large', Buffer.alloc(LARGE_BYTES, 'x'), 'small', 'small');
  let isComing = true;
  let overtook = 0;
  const large = commands.getBuffer('large').finally(() => (isComing = false));
  const readSmall = async () => {
    while (isComing) {
      expect(await commands.get('small')).toBe('small');
      if (isComing) overtook += 1;
    }
  };
  await Promise.all([readSmall(), readSmall(), readSmall()]);
  expect((await large)?.byteLength).toBe(LARGE_BYTES);
  return overtook;
}

describe('A large reply', () => {
  it('does not hold up small ones while there is another shared connection', async () => {
    expect(await overtaking(2)).toBeGreaterThan(3);
  });

  it('holds up all behind it where there is one alone', async () => {
    expect(await overtaking(1)).toBe(0);
  });
});
