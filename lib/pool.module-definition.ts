import { ConfigurableModuleBuilder, type DynamicModule, type Provider } from '@nestjs/common';
import type { ResourcePool } from './core/resource-pool.js';
import { checkModuleOptions } from './pool.option-check.js';
import type { PoolModuleExtras, PoolModuleOptions } from './pool.options.js';
import { CLASS_TOKENS, createPool, describePool } from './pool.providers.js';
import { PoolRegistry } from './pool.registry.js';
import { PoolRegistryModule } from './pool.registry.module.js';
import { getPoolToken } from './pool.tokens.js';

const DEFAULT_STARTUP_TIMEOUT_MS = 10_000;

/** The options after checking, inside the module that they were given to. */
const CHECKED_OPTIONS = 'POOL_MODULE_CHECKED_OPTIONS';

type Extras = Required<PoolModuleExtras> & { pools: readonly string[] };

const NO_EXTRAS: Extras = { isGlobal: true, extraProviders: [], pools: [] };

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<PoolModuleOptions>({
    moduleName: 'Pool',
  })
    .setClassMethodName('forRoot')
    .setExtras(NO_EXTRAS, withPools)
    .build();

/** Names are known when the module is defined; the values arrive when the application starts. */
function withPools(definition: DynamicModule, { isGlobal, extraProviders, pools }: Extras): DynamicModule {
  const names = [...new Set(pools)];
  const bound = names.filter((name) => CLASS_TOKENS.has(name));
  return {
    ...definition,
    global: isGlobal,
    imports: [...(definition.imports ?? []), PoolRegistryModule],
    providers: [
      ...(definition.providers ?? []).map(abandoningTheStart),
      ...extraProviders,
      checkedOptionsProvider(pools),
      ...names.map(poolProvider),
      ...bound.map((name): Provider => ({ provide: classToken(name), useExisting: getPoolToken(name) })),
    ],
    exports: [PoolRegistryModule, ...names.map(getPoolToken), ...bound.map(classToken)],
  };
}

const classToken = (name: string) => CLASS_TOKENS.get(name) ?? name;

/** The provider of the options, whose failure must not leave the pools of other modules open. */
function abandoningTheStart(provider: Provider): Provider {
  if (!('useFactory' in provider) || provider.provide !== MODULE_OPTIONS_TOKEN) return provider;
  const { inject = [], useFactory } = provider;
  return {
    ...provider,
    inject: [...inject, PoolRegistry], // last, as Nest counts the others where it cannot find one of them
    useFactory: (...dependencies: unknown[]) => {
      const registry = dependencies.pop() as PoolRegistry;
      return orAbandon(registry, () => useFactory(...dependencies) as unknown);
    },
  };
}

async function orAbandon<T>(registry: PoolRegistry, task: () => T): Promise<Awaited<T>> {
  try {
    return await task();
  } catch (error) {
    await registry.abandon();
    throw error;
  }
}

function checkedOptionsProvider(declared: readonly string[]): Provider {
  return {
    provide: CHECKED_OPTIONS,
    inject: [MODULE_OPTIONS_TOKEN, PoolRegistry],
    useFactory: (given: unknown, registry: PoolRegistry) =>
      orAbandon(registry, () => {
        const options = checkModuleOptions(declared, registry.names, given);
        registry.reserve(declared);
        return options;
      }),
  };
}

function poolProvider(name: string): Provider {
  return {
    provide: getPoolToken(name),
    inject: [CHECKED_OPTIONS, PoolRegistry],
    useFactory: (options: PoolModuleOptions, registry: PoolRegistry) => openPool(name, options, registry),
  };
}

async function openPool(
  name: string,
  options: PoolModuleOptions,
  registry: PoolRegistry,
): Promise<ResourcePool<unknown>> {
  const { startup = 'require', startupTimeoutMs: timeoutMs = DEFAULT_STARTUP_TIMEOUT_MS, shutdown } = options;
  const pool = createPool(name, options.pools[name]!);
  const log = registry.register(pool, shutdown?.drainTimeoutMs);
  const what = describePool(options.pools[name]!);
  if (startup === 'lazy') {
    log.startsLazily(what);
    return pool;
  }
  const startedAt = performance.now();
  try {
    await pool.start({ timeoutMs });
    log.started(what, performance.now() - startedAt);
  } catch (error) {
    if (startup === 'warn') {
      log.startedWithout(what, error);
    } else {
      await registry.abandon(Object.keys(options.pools));
      throw error;
    }
  }
  return pool;
}
