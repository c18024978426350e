import { Module, type DynamicModule } from '@nestjs/common';
import { PoolOptionsError } from './core/pool.errors.js';
import { ConfigurableModuleClass } from './pool.module-definition.js';
import type { PoolModuleAsyncOptions, PoolModuleExtras, PoolModuleOptions } from './pool.options.js';

const DEFAULT_NAMES = ['redis', 'compression'] as const;

const WAYS_TO_GIVE_OPTIONS = ['useFactory', 'useClass', 'useExisting'] as const;

/**
 * Registers pools that can be injected, opens them with the application and drains them with it.
 *
 * @publicApi
 * @example
 * PoolModule.forRootAsync({
 *   pools: ['cache', 'archive'],
 *   inject: [ConfigService],
 *   useFactory: (config: ConfigService) => ({
 *     pools: {
 *       cache: { type: 'redis', url: config.getOrThrow('REDIS_URL'), max: 16 },
 *       archive: { type: 'compression', algorithm: 'gzip' },
 *     },
 *   }),
 * })
 */
@Module({})
export class PoolModule extends (ConfigurableModuleClass as new () => object) {
  /**
   * Registers pools whose options are known now. The pools can be injected everywhere, unless `isGlobal` is false.
   * @throws {PoolOptionsError} at the start of the application: names every problem at once, before anything is opened
   */
  static forRoot<const Name extends string>(
    options: PoolModuleOptions<Name> & PoolModuleExtras,
  ): DynamicModule {
    return this.define(known(options), { isGlobal: true });
  }

  /**
   * Registers pools whose names are known now and whose options come later: from `useFactory`, `useClass` or `useExisting`.
   * The pools can be injected everywhere, unless `isGlobal` is false. Without `pools` these are `redis` and `compression`.
   * @throws {PoolOptionsError} not exactly one of the three was given; or, at the start of the application, as `forRoot`
   */
  static forRootAsync<
    const Name extends string = 'redis' | 'compression',
    Given extends PoolModuleOptions<Name> = PoolModuleOptions<Name>,
  >(options: PoolModuleAsyncOptions<Name, Given>): DynamicModule {
    return this.define(options, { isGlobal: true });
  }

  /** As `forRoot`, for more pools in the same registry. Only modules that import this one can inject them, unless `isGlobal` is true. */
  static forFeature<const Name extends string>(
    options: PoolModuleOptions<Name> & PoolModuleExtras,
  ): DynamicModule {
    return this.define(known(options), { isGlobal: false });
  }

  /** As `forRootAsync`, for more pools in the same registry. Only modules that import this one can inject them, unless `isGlobal` is true. */
  static forFeatureAsync<
    const Name extends string = 'redis' | 'compression',
    Given extends PoolModuleOptions<Name> = PoolModuleOptions<Name>,
  >(options: PoolModuleAsyncOptions<Name, Given>): DynamicModule {
    return this.define(options, { isGlobal: false });
  }

  private static define(options: object, defaults: PoolModuleExtras): DynamicModule {
    const given = { pools: DEFAULT_NAMES, ...defaults, ...options } as Parameters<
      typeof ConfigurableModuleClass.forRootAsync
    >[0];
    const ways = WAYS_TO_GIVE_OPTIONS.filter((way) => given[way] !== undefined);
    if (ways.length !== 1) {
      const found = ways.length === 0 ? 'none' : ways.join(' and ');
      throw new PoolOptionsError('', [
        `give exactly one of useFactory, useClass and useExisting, got ${found}`,
      ]);
    }
    return ConfigurableModuleClass.forRootAsync.call(this, given);
  }
}

/** Options that are known already are those of a factory that returns them. */
function known({
  isGlobal,
  extraProviders,
  ...options
}: PoolModuleOptions & PoolModuleExtras): PoolModuleAsyncOptions {
  return {
    pools: Object.keys(options.pools),
    useFactory: () => options,
    ...(isGlobal !== undefined && { isGlobal }),
    ...(extraProviders !== undefined && { extraProviders }),
  };
}
