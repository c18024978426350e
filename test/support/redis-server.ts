import { afterAll, beforeAll } from '@jest/globals';
import { startRedisServer, type RedisServer, type RedisServerOptions } from '../../scripts/redis-server.mjs';

/** The first start on a machine may have to install a server, or to build one. */
const START_WITHIN_MS = 15 * 60_000;

/**
 * Gives the tests of a file, or of a `describe` block, a Redis server of their own. What it returns is that server,
 * as soon as the tests and hooks run.
 *
 * @example
 * const redis = useRedisServer();
 * it('answers', async () => expect(await new Redis(redis.url).ping()).toBe('PONG'));
 */
export function useRedisServer(options?: RedisServerOptions): RedisServer {
  let server: RedisServer | undefined;
  beforeAll(async () => {
    server = await startRedisServer(options);
  }, START_WITHIN_MS);
  afterAll(() => server?.stop());

  return new Proxy({} as RedisServer, {
    get(_, property: keyof RedisServer) {
      if (!server)
        throw new Error('The server of useRedisServer() starts with the tests: use it inside them');
      return server[property];
    },
  });
}
