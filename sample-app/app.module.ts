import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { PoolModule } from 'nestjs-pool';
import { EmbeddedRedis } from './embedded-redis/embedded-redis.js';
import { EmbeddedRedisModule } from './embedded-redis/embedded-redis.module.js';
import { environmentSchema, type Environment } from './environment.js';
import { HealthModule } from './health/health.module.js';
import { LiveModule } from './live/live.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { PoolsModule } from './pools/pools.module.js';
import { SnippetsModule } from './snippets/snippets.module.js';
import { WebModule } from './web/web.module.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, validationSchema: environmentSchema }),
    PoolModule.forRootAsync({
      pools: ['cache', 'archive'],
      imports: [EmbeddedRedisModule],
      inject: [ConfigService, EmbeddedRedis],
      useFactory: async (config: ConfigService<Environment, true>, embedded: EmbeddedRedis) => ({
        pools: {
          cache: { type: 'redis', url: config.get('REDIS_URL') ?? (await embedded.start()) },
          archive: { type: 'compression', algorithm: 'gzip' },
        },
      }),
    }),
    WebModule,
    HealthModule,
    LiveModule,
    MetricsModule,
    PoolsModule,
    SnippetsModule,
  ],
})
export class AppModule {}
