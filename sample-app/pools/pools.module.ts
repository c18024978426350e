import { Module } from '@nestjs/common';
import { PoolsController } from './pools.controller.js';

@Module({ controllers: [PoolsController] })
export class PoolsModule {}
