import { Global, Module } from '@nestjs/common';
import { PoolRegistry } from './pool.registry.js';

/** Holds the one registry of the application, whatever the number of `forRoot` and `forFeature` modules. */
@Global()
@Module({ providers: [PoolRegistry], exports: [PoolRegistry] })
export class PoolRegistryModule {}
