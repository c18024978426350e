import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PoolRegistry } from 'nestjs-pool';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';

/** A Redis server of our own, to try the application without one. */
@Injectable()
export class EmbeddedRedis implements OnApplicationShutdown {
  private server: RedisServer | undefined;

  constructor(private readonly pools: PoolRegistry) {}

  /** Resolves to the server's URL when it answers. */
  async start(): Promise<string> {
    this.server = await startRedisServer();
    return this.server.url;
  }

  /** In whatever order the hooks run, the server goes after the pools: draining them twice is draining them once. */
  async onApplicationShutdown(): Promise<void> {
    await this.pools.drain();
    await this.server?.stop();
  }
}
