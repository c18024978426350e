import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Injectable, Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  CompressionPool,
  getPoolToken,
  PoolModule,
  PoolRegistry,
  PoolUnavailableError,
  RedisPool,
  type PoolModuleOptions,
} from 'nestjs-pool';
import { startRedisServer } from '../../scripts/redis-server.mjs';
import { useRedisServer } from '../support/redis-server.js';

@Injectable()
class Greeter {
  constructor(
    private readonly redis: RedisPool,
    private readonly compression: CompressionPool,
  ) {}

  async remember(text: string): Promise<string> {
    await this.redis.commands.set('greeting', await this.compression.compress(text));
    const stored = await this.redis.use((connection) => connection.getBuffer('greeting'));
    return (await this.compression.decompress(stored!)).toString();
  }
}

/** Starts an application of real Nest, as `main.ts` does. */
function start(pools: DynamicModule): Promise<INestApplicationContext> {
  @Module({ imports: [pools], providers: [Greeter] })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
}

const defaultPools = (url: string, more: Partial<PoolModuleOptions> = {}): DynamicModule =>
  PoolModule.forRootAsync({
    useFactory: () => ({
      pools: { redis: { type: 'redis', url }, compression: { type: 'compression', algorithm: 'gzip' } },
      startupTimeoutMs: 400,
      ...more,
    }),
  });

/** A port at which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('An application with the default pools', () => {
  const redis = useRedisServer();

  it('gets them by their classes, and leaves nothing open when it closes', async () => {
    const app = await start(defaultPools(redis.url));
    await expect(app.get(Greeter).remember('hello')).resolves.toBe('hello');
    await app.close();
    expect(app.get(PoolRegistry).stats()).toMatchObject([
      { name: 'redis', state: 'closed', size: 0 },
      { name: 'compression', state: 'closed', size: 0 },
    ]);
  });

  it('does not start without Redis, and says why', async () => {
    const port = await freePort();
    const error: unknown = await start(defaultPools(`redis://127.0.0.1:${port}`)).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(PoolUnavailableError);
    expect(error).toMatchObject({ pool: 'redis', cause: { code: 'ECONNREFUSED' } });
  });

  it.each(['warn', 'lazy'] as const)(
    'starts without Redis when told to (%s), and works as soon as it is there',
    async (startup) => {
      const port = await freePort();
      const app = await start(defaultPools(`redis://127.0.0.1:${port}`, { startup }));
      const late = await startRedisServer({ port });
      await expect(app.get(Greeter).remember('hello')).resolves.toBe('hello');
      await app.close();
      await late.stop();
    },
  );

  it('closes within the deadline when Redis hangs', async () => {
    const hanging = await startRedisServer();
    const app = await start(defaultPools(hanging.url, { shutdown: { drainTimeoutMs: 200 } }));
    process.kill(hanging.pid, 'SIGSTOP');
    const answer = app
      .get<RedisPool>(getPoolToken('redis'))
      .commands.get('greeting')
      .catch((reason: unknown) => reason);
    await app.close();
    await expect(answer).resolves.toBeInstanceOf(Error);
    await hanging.stop();
  });
});
