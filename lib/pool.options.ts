import type {
  InjectionToken,
  ModuleMetadata,
  OptionalFactoryDependency,
  Provider,
  Type,
} from '@nestjs/common';
import type { CompressionPoolOptions } from './compression/compression.options.js';
import type { PoolOptions } from './core/pool.options.js';
import type { ResourceFactory } from './core/resource-factory.js';
import type { RedisPoolOptions } from './redis/redis.options.js';

/**
 * A pool of whatever `factory` opens and closes.
 *
 * @publicApi
 * @example
 * { type: 'custom', factory: { create: () => connect(), destroy: (client) => client.end() }, max: 4 }
 */
export interface CustomPoolOptions<T = unknown> extends PoolOptions {
  type: 'custom';
  factory: ResourceFactory<T>;
}

/** The options of a pool of any kind, told apart by `type`. @publicApi */
export type AnyPoolOptions = RedisPoolOptions | CompressionPoolOptions | CustomPoolOptions;

/**
 * What `forRoot` is given, and what the factory of `forRootAsync` returns.
 *
 * @publicApi
 */
export interface PoolModuleOptions<Name extends string = string> {
  /** The pools by name. */
  pools: Readonly<Record<Name, AnyPoolOptions>>;
  /**
   * What the start of the application does about pools that cannot be opened: `require` (default) fails with the real cause, `warn`
   * logs it and goes on, `lazy` does not try before the first use.
   */
  startup?: 'require' | 'warn' | 'lazy';
  /** How long opening each pool may take at the start. Default 10,000. */
  startupTimeoutMs?: number;
  shutdown?: {
    /** How long the pools may take to finish their work when the application shuts down. Default 10,000. */
    drainTimeoutMs?: number;
  };
}

/** What stands beside the pools in the call of a `for…` method, known before any value is. */
export interface PoolModuleExtras {
  /** Whether other modules can inject the pools without importing this one. Default true for `forRoot*`, false for `forFeature*`. */
  isGlobal?: boolean;
  /** More providers for the factory to inject. */
  extraProviders?: Provider[];
}

/** A class that makes the options, for `useClass` and `useExisting`. @publicApi */
export interface PoolOptionsFactory<Name extends string = string> {
  create(): PoolModuleOptions<Name> | Promise<PoolModuleOptions<Name>>;
}

/**
 * What `forRootAsync` and `forFeatureAsync` are given: the names now, the values by exactly one of `useFactory`, `useClass` and
 * `useExisting`.
 *
 * @publicApi
 */
export interface PoolModuleAsyncOptions<Name extends string = string, Given = PoolModuleOptions<Name>>
  extends Pick<ModuleMetadata, 'imports'>, PoolModuleExtras {
  /** The names of the pools. Default `['redis', 'compression']`. */
  pools?: readonly Name[];
  /** What `useFactory` is called with. */
  inject?: (InjectionToken | OptionalFactoryDependency)[];
  useFactory?: (...dependencies: never[]) => Declared<Given, Name> | Promise<Declared<Given, Name>>;
  useClass?: Type<PoolOptionsFactory<NoInfer<Name>>>;
  useExisting?: Type<PoolOptionsFactory<NoInfer<Name>>>;
  provideInjectionTokensFrom?: Provider[];
}

/**
 * `Given`, with a compile-time error on every pool that was not declared. (One that is missing is an error by itself.)
 * Where the names are not known to TypeScript (`Record<string, …>`) only the start of the application can tell.
 */
export type Declared<Given, Name extends string> = Given & { pools: Undeclared<NamesOf<Given>, Name> };

type NamesOf<Given> = Given extends { pools: infer Pools } ? keyof Pools : never;

type Undeclared<Names, Name> = string extends Names
  ? unknown
  : Record<Exclude<Names & PropertyKey, Name>, never>;
