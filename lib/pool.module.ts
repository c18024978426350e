import { Module, type DynamicModule } from '@nestjs/common';
import { isObject } from './core/option-rules.js';
import { ConfigurableModuleClass } from './pool.module-definition.js';
import { checkRegistration } from './pool.option-check.js';
import type { PoolModuleAsyncOptions, PoolModuleExtras, PoolModuleOptions } from './pool.options.js';

const DEFAULT_NAMES = ['redis', 'compression'] as const;

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
   * @throws {PoolOptionsError} not exactly one of the three was given, or something unknown; or, at the start of the application, as
   *   `forRoot`
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
    checkRegistration(options);
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    return ConfigurableModuleClass.forRootAsync.call(this, {
      pools: DEFAULT_NAMES,
      ...defaults,
      ...(Object.fromEntries(given) as Parameters<typeof ConfigurableModuleClass.forRootAsync>[0]),
    });
  }
}

/** Options that are known already are those of a factory that returns them. */
function known(given: PoolModuleOptions & PoolModuleExtras): PoolModuleAsyncOptions {
  const { isGlobal, extraProviders, ...options } = isObject(given) ? given : ({} as typeof given);
  const pools = isObject(options.pools) ? Object.keys(options.pools) : [];
  return { pools, isGlobal, extraProviders, useFactory: () => options };
}
