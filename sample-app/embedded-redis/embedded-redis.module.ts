import { Module } from '@nestjs/common';
import { EmbeddedRedis } from './embedded-redis.js';

@Module({ providers: [EmbeddedRedis], exports: [EmbeddedRedis] })
export class EmbeddedRedisModule {}
