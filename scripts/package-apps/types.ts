// Compiled, never run: the types of the packed library, as applications of either kind see them. See check-package.mjs.
import { Injectable, Module } from '@nestjs/common';
import {
  InjectPool,
  PoolModule,
  type CompressionPool,
  type PoolChannels,
  type PoolStats,
  type RedisPool,
} from 'nestjs-pool';
import { PoolHealthIndicator, PoolHealthModule } from 'nestjs-pool/health';
import { PoolMetricsModule } from 'nestjs-pool/metrics';
import { Registry } from 'prom-client';

@Injectable()
export class Store {
  constructor(
    @InjectPool('cache') private readonly cache: RedisPool,
    @InjectPool('archive') private readonly archive: CompressionPool,
    private readonly health: PoolHealthIndicator,
  ) {}

  async store(key: string, text: string): Promise<string> {
    return this.cache.commands.set(key, await this.archive.compress(text), 'EX', 60);
  }

  find(key: string): Promise<Buffer | null> {
    return this.cache.use((connection) => connection.getBuffer(key));
  }

  stats(): PoolStats[] {
    return [this.cache.stats(), this.archive.stats()];
  }

  async isUp(): Promise<boolean> {
    const result = await this.health.pingCheck('redis', { pool: 'cache' });
    return result.redis.status === 'up';
  }
}

@Module({
  imports: [
    PoolModule.forRootAsync({
      pools: ['cache', 'archive'],
      useFactory: () => ({
        pools: { cache: { type: 'redis', max: 4 }, archive: { type: 'compression', algorithm: 'gzip' } },
      }),
    }),
    PoolHealthModule,
    PoolMetricsModule.forRoot({ prometheus: new Registry() }),
  ],
  providers: [Store],
})
export class AppModule {}

export const heldFor = (leak: PoolChannels['nestjs-pool:leak']): number => leak.heldMs;

PoolModule.forRootAsync({
  pools: ['cache'],
  // @ts-expect-error -- "cache" has no options: the types are really there
  useFactory: () => ({ pools: {} }),
});
