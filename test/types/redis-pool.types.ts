// Compiled, never run: what TypeScript must accept of connections that may be of one server or of a cluster, and what it must refuse.
import { Cluster, Redis } from 'ioredis';
import { RedisPool, type RedisConnection } from 'nestjs-pool';

const pool = new RedisPool('cache', {
  type: 'redis',
  cluster: {
    nodes: [{ host: 'redis-1', port: 6379 }, 'redis://redis-2:6379'],
    options: { scaleReads: 'slave' },
  },
  connection: { password: 'secret' },
  createClient: (options, cluster) =>
    cluster === undefined ? new Redis(options) : new Cluster(cluster.nodes, cluster.options),
});

export const instrumented = new RedisPool('cache', {
  type: 'redis',
  createClient: (options) => new Redis(options),
});

export async function lend(): Promise<void> {
  await pool.use(async (redis: RedisConnection) => {
    await redis.watch('stock');
    const stock: string | null = await redis.get('stock');
    await redis.multi().set('stock', Number(stock)).exec();
    await redis.xread('BLOCK', 0, 'STREAMS', 'events', '$');
    redis.on('message', () => undefined);
    // @ts-expect-error -- a cluster has no single socket
    void redis.stream;
  });
}

// @ts-expect-error -- a cluster without nodes
new RedisPool('cache', { type: 'redis', cluster: {} });
