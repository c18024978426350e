import { Injectable, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { PoolRegistry } from 'nestjs-pool';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';

/** A Redis server of our own, to try the application without one, and to see how it takes the faults of a server. */
@Injectable()
export class EmbeddedRedis implements BeforeApplicationShutdown, OnApplicationShutdown {
  private server: RedisServer | undefined;
  private starting: Promise<RedisServer> | undefined;

  constructor(private readonly pools: PoolRegistry) {}

  /** False where the application uses somebody else's server, which is not ours to disturb. */
  get isUsed(): boolean {
    return this.starting !== undefined;
  }

  /** Resolves to the server's URL when it answers; after `stop()` it is the same again. */
  async start(): Promise<string> {
    this.starting = startRedisServer({ port: this.server?.port });
    this.server = await this.starting;
    return this.server.url;
  }

  async stop(): Promise<void> {
    await this.server?.stop();
  }

  /** It keeps its connections and answers nobody, as a server that hangs. */
  pause(): void {
    this.server?.kill('SIGSTOP');
  }

  resume(): void {
    this.server?.kill('SIGCONT');
  }

  /** Closes the connections of all clients. */
  async cutConnections(): Promise<void> {
    const client = new Redis(this.server?.url ?? '', { lazyConnect: true, retryStrategy: null });
    client.on('error', () => undefined); // the command tells
    try {
      await client.connect();
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    } finally {
      client.disconnect();
    }
  }

  /** The last requests, and the drain, need a server that answers. */
  beforeApplicationShutdown(): void {
    this.resume();
  }

  /** In whatever order the hooks run, the server goes after the pools: draining them twice is draining them once. */
  async onApplicationShutdown(): Promise<void> {
    await this.pools.drain();
    await this.starting?.catch(() => undefined);
    await this.server?.stop();
  }
}
