import { compressionOptionProblems, type CompressionPoolOptions } from './compression/compression.options.js';
import { CompressionPool } from './compression/compression-pool.js';
import { isObject } from './core/option-rules.js';
import { poolOptionProblems } from './core/pool.options.js';
import { factoryProblems } from './core/resource-factory.js';
import { ResourcePool } from './core/resource-pool.js';
import type { AnyPoolOptions, CustomPoolOptions } from './pool.options.js';
import { redisOptionProblems, type RedisPoolOptions } from './redis/redis.options.js';
import { RedisPool } from './redis/redis-pool.js';
import { redisAddress } from './redis/redis-address.js';

interface PoolKind<Options> {
  /** Every problem of the options, a sentence each. */
  problems(options: object): string[];
  create(name: string, options: Options): ResourcePool<unknown>;
  /** What it is a pool of, without secrets. */
  describe(options: Options): string;
}

/** The only place that knows every kind of pool. */
const KINDS: {
  redis: PoolKind<RedisPoolOptions>;
  compression: PoolKind<CompressionPoolOptions>;
  custom: PoolKind<CustomPoolOptions>;
} = {
  redis: {
    problems: redisOptionProblems,
    create: (name, options) => new RedisPool(name, options),
    describe: (options) => `redis, ${redisAddress(options)}`,
  },
  compression: {
    problems: compressionOptionProblems,
    create: (name, options) => new CompressionPool(name, options),
    describe: ({ algorithm }) => `compression, ${typeof algorithm === 'string' ? algorithm : algorithm.name}`,
  },
  custom: {
    problems: customOptionProblems,
    create: (name, { type, factory, ...options }) => new ResourcePool(name, factory, options),
    describe: () => 'custom',
  },
};

/** Pools of these names are bound to a class token as well, so that they can be injected without a decorator. */
export const CLASS_TOKENS: ReadonlyMap<string, typeof RedisPool | typeof CompressionPool> = new Map<
  string,
  typeof RedisPool | typeof CompressionPool
>([
  ['redis', RedisPool],
  ['compression', CompressionPool],
]);

/** Makes the pool, which opens nothing yet. The options were checked before. */
export function createPool(name: string, options: AnyPoolOptions): ResourcePool<unknown> {
  const kind: PoolKind<never> = KINDS[options.type];
  return kind.create(name, options as never);
}

/** What a pool of these options is of, and where that is; without secrets. The options were checked before. */
export function describePool(options: AnyPoolOptions): string {
  const kind: PoolKind<never> = KINDS[options.type];
  return kind.describe(options as never);
}

/** Every problem of the options of one pool, of whatever kind. */
export function poolProblems(name: string, options: unknown): string[] {
  if (!isObject(options)) return ['the options are missing'];
  const { type } = options;
  if (typeof type !== 'string' || !Object.hasOwn(KINDS, type)) {
    return [
      `type must be one of ${Object.keys(KINDS)
        .map((each) => `"${each}"`)
        .join(', ')}`,
    ];
  }
  if (CLASS_TOKENS.has(name) && type !== name) {
    return [`a pool of this name is injected by class, so its type must be "${name}", got "${type}"`];
  }
  return KINDS[type as keyof typeof KINDS].problems(options);
}

function customOptionProblems(options: object): string[] {
  const { type, factory, ...rest } = options as CustomPoolOptions;
  return [...factoryProblems(factory), ...poolOptionProblems(rest)];
}
