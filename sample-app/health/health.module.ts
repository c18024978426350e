import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PoolHealthModule } from 'nestjs-pool/health';
import { HealthController } from './health.controller.js';

@Module({ imports: [TerminusModule, PoolHealthModule], controllers: [HealthController] })
export class HealthModule {}
