// Compiled, never run: what TypeScript must accept, and what it must refuse.
import {
  PoolModule,
  type PoolModuleOptions,
  type PoolOptionsFactory,
  type ResourceFactory,
} from 'nestjs-pool';

class Client {
  end = (): Promise<void> => Promise.resolve();
}

const clients: ResourceFactory<Client> = {
  create: () => Promise.resolve(new Client()),
  destroy: (client) => client.end(),
};

class Config {
  get = (key: string): string => key;
}

PoolModule.forRoot({
  isGlobal: false,
  startup: 'warn',
  shutdown: { drainTimeoutMs: 1_000 },
  pools: {
    cache: { type: 'redis', url: 'redis://localhost', max: 16 },
    archive: { type: 'compression', algorithm: 'gzip', level: 9 },
    clients: { type: 'custom', factory: clients, max: 4 },
  },
});

PoolModule.forRootAsync({
  pools: ['cache', 'archive'],
  inject: [Config],
  useFactory: (config: Config) => ({
    pools: {
      cache: { type: 'redis', url: config.get('REDIS_URL'), max: 16 },
      archive: { type: 'compression', algorithm: 'gzip' },
    },
    shutdown: { drainTimeoutMs: 10_000 },
  }),
});

PoolModule.forRootAsync({
  // The names default to redis and compression.
  useFactory: async () => {
    await Promise.resolve();
    return { pools: { redis: { type: 'redis' }, compression: { type: 'compression', algorithm: 'brotli' } } };
  },
});

PoolModule.forRootAsync({
  pools: ['cache', 'archive'],
  // @ts-expect-error -- "archive" was declared and has no options
  useFactory: () => ({ pools: { cache: { type: 'redis' } } }),
});

PoolModule.forRootAsync({
  pools: ['cache'],
  // @ts-expect-error -- "cahce" was not declared
  useFactory: () => ({ pools: { cache: { type: 'redis' }, cahce: { type: 'redis' } } }),
});

PoolModule.forFeatureAsync({
  pools: ['cache'],
  // @ts-expect-error -- asynchronously, too
  useFactory: () => Promise.resolve({ pools: { archive: { type: 'redis' } } }),
});

PoolModule.forRootAsync({
  // @ts-expect-error -- no "compression"
  useFactory: () => ({ pools: { redis: { type: 'redis' } } }),
});

PoolModule.forRoot({
  // @ts-expect-error -- there is no such kind of pool
  pools: { cache: { type: 'memcached' } },
});

PoolModule.forRoot({
  // @ts-expect-error -- an option of another kind of pool
  pools: { cache: { type: 'redis', algorithm: 'gzip' } },
});

PoolModule.forRoot({
  // @ts-expect-error -- a custom pool needs a factory
  pools: { clients: { type: 'custom' } },
});

class CacheOptions implements PoolOptionsFactory<'cache'> {
  create(): PoolModuleOptions<'cache'> {
    return { pools: { cache: { type: 'redis' } } };
  }
}

PoolModule.forRootAsync({ pools: ['cache'], useClass: CacheOptions });
PoolModule.forRootAsync({ pools: ['cache'], useExisting: CacheOptions });

PoolModule.forRootAsync({
  pools: ['cache', 'archive'],
  // @ts-expect-error -- the class makes no options for "archive"
  useClass: CacheOptions,
});

declare const fromAFile: PoolModuleOptions;

// Names that are known only when the application runs are checked when it starts.
PoolModule.forRootAsync({ pools: ['cache'], useFactory: () => fromAFile });
