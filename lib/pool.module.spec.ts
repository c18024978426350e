import { describe, expect, it, jest } from '@jest/globals';
import { Global, Inject, Injectable, Logger, Module, type DynamicModule } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { CompressionPool } from './compression/compression-pool.js';
import { PoolNotFoundError, PoolOptionsError, PoolUnavailableError } from './core/pool.errors.js';
import type { ResourceFactory } from './core/resource-factory.js';
import { ResourcePool } from './core/resource-pool.js';
import { InjectPool } from './pool.decorators.js';
import { PoolModule } from './pool.module.js';
import type { CustomPoolOptions, PoolModuleOptions, PoolOptionsFactory } from './pool.options.js';
import { PoolRegistry } from './pool.registry.js';
import { getPoolToken } from './pool.tokens.js';

interface Thing {
  readonly id: number;
}

/** Counts what is open. */
class Things implements ResourceFactory<Thing> {
  opened = 0;
  open = 0;

  create(): Promise<Thing> {
    this.opened += 1;
    this.open += 1;
    return Promise.resolve({ id: this.opened });
  }

  destroy(): Promise<void> {
    this.open -= 1;
    return Promise.resolve();
  }
}

const custom = (factory: ResourceFactory<unknown> = new Things()): CustomPoolOptions => ({
  type: 'custom',
  factory,
});

const unreachable: ResourceFactory<never> = {
  create: () => Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:1')),
  destroy: () => Promise.resolve(),
};

const nothing = (): void => undefined;
const SILENT = { log: nothing, error: nothing, warn: nothing };

/** Runs `test` on an application of these modules, and shuts it down. */
async function withApp(
  imports: DynamicModule[],
  test: (app: TestingModule) => unknown,
  providers: never[] = [],
): Promise<void> {
  const app = await Test.createTestingModule({ imports, providers }).setLogger(SILENT).compile();
  await app.init();
  try {
    await test(app);
  } finally {
    await app.close();
  }
}

/** The error with which an application of these modules does not start. */
async function startError(...imports: DynamicModule[]): Promise<unknown> {
  return withApp(imports, () => undefined).then(
    () => undefined,
    (error: unknown) => error,
  );
}

const poolNamed = (app: TestingModule, name: string) => app.get<ResourcePool<Thing>>(getPoolToken(name));

describe('PoolModule', () => {
  describe('registers pools', () => {
    it('whose options are known, with forRoot', () =>
      withApp([PoolModule.forRoot({ pools: { things: custom() } })], async (app) => {
        await expect(poolNamed(app, 'things').use((thing) => thing.id)).resolves.toBe(1);
      }));

    it('whose options come from a factory with injected dependencies', async () => {
      @Module({ providers: [{ provide: 'SIZE', useValue: 3 }], exports: ['SIZE'] })
      class ConfigModule {}

      const module = PoolModule.forRootAsync({
        pools: ['things'],
        imports: [ConfigModule],
        inject: ['SIZE'],
        useFactory: (max: number) => Promise.resolve({ pools: { things: { ...custom(), max } } }),
      });
      await withApp([module], (app) => expect(poolNamed(app, 'things').stats().max).toBe(3));
    });

    it('whose options come from a class, made by the module or existing already', async () => {
      @Injectable()
      class Options implements PoolOptionsFactory<'things'> {
        create(): PoolModuleOptions<'things'> {
          return { pools: { things: custom() } };
        }
      }
      @Global()
      @Module({ providers: [Options], exports: [Options] })
      class OptionsModule {}

      await withApp([PoolModule.forRootAsync({ pools: ['things'], useClass: Options })], (app) =>
        expect(poolNamed(app, 'things')).toBeInstanceOf(ResourcePool),
      );
      await withApp(
        [PoolModule.forRootAsync({ pools: ['things'], imports: [OptionsModule], useExisting: Options })],
        (app) => expect(poolNamed(app, 'things')).toBeInstanceOf(ResourcePool),
      );
    });

    it('with extra providers for the factory', () => {
      const module = PoolModule.forRootAsync({
        pools: ['things'],
        extraProviders: [{ provide: 'SIZE', useValue: 7 }],
        inject: ['SIZE'],
        useFactory: (max: number) => ({ pools: { things: { ...custom(), max } } }),
      });
      return withApp([module], (app) => expect(poolNamed(app, 'things').stats().max).toBe(7));
    });

    it('under names whose case counts', () =>
      withApp([PoolModule.forRoot({ pools: { cache: custom(), Cache: custom() } })], (app) =>
        expect(poolNamed(app, 'cache')).not.toBe(poolNamed(app, 'Cache')),
      ));

    it('of several modules in one registry', () =>
      withApp(
        [
          PoolModule.forRoot({ pools: { root: custom() } }),
          PoolModule.forFeature({ pools: { feature: custom() } }),
          PoolModule.forFeatureAsync({
            pools: ['later'],
            useFactory: () => ({ pools: { later: custom() } }),
          }),
        ],
        (app) => {
          const registry = app.get(PoolRegistry);
          expect(
            registry
              .all()
              .map(({ name }) => name)
              .sort(),
          ).toEqual(['feature', 'later', 'root']);
          expect(registry.get('feature')).toBe(poolNamed(app, 'feature'));
          expect(registry.stats()).toHaveLength(3);
        },
      ));
  });

  describe('injects pools', () => {
    it('by name into constructors and properties, and by class under the default names', async () => {
      @Injectable()
      class Service {
        @InjectPool('things') readonly property!: ResourcePool<Thing>;
        constructor(
          @InjectPool('things') readonly parameter: ResourcePool<Thing>,
          @InjectPool() readonly byType: CompressionPool,
          readonly undecorated: CompressionPool,
        ) {}
      }
      @Module({ providers: [Service] })
      class ServiceModule {}

      const pools = PoolModule.forRoot({
        pools: { things: custom(), compression: { type: 'compression', algorithm: 'gzip' } },
      });
      await withApp([pools, ServiceModule as never], (app) => {
        const service = app.get(Service, { strict: false });
        expect(service.parameter).toBe(poolNamed(app, 'things'));
        expect(service.property).toBe(service.parameter);
        expect(service.byType).toBe(app.get(getPoolToken('compression')));
        expect(service.undecorated).toBe(service.byType);
      });
    });

    it('everywhere, unless isGlobal is false', async () => {
      @Injectable()
      class Service {
        constructor(@Inject(getPoolToken('things')) readonly pool: ResourcePool<Thing>) {}
      }
      @Module({ providers: [Service] })
      class Elsewhere {}

      await withApp([PoolModule.forRoot({ pools: { things: custom() } }), Elsewhere as never], (app) =>
        expect(app.get(Service, { strict: false }).pool).toBe(poolNamed(app, 'things')),
      );
      await expect(
        startError(PoolModule.forRoot({ isGlobal: false, pools: { things: custom() } }), Elsewhere as never),
      ).resolves.toMatchObject({ message: expect.stringContaining('POOL:things') });
    });

    it('of a feature into the module that imports it, and no other', async () => {
      @Injectable()
      class Service {
        constructor(@InjectPool('things') readonly pool: ResourcePool<Thing>) {}
      }
      @Module({ imports: [PoolModule.forFeature({ pools: { things: custom() } })], providers: [Service] })
      class Feature {}
      @Module({ providers: [Service] })
      class Stranger {}

      await withApp([Feature as never], (app) =>
        expect(app.get(Service, { strict: false }).pool.name).toBe('things'),
      );
      await expect(startError(Feature as never, Stranger as never)).resolves.toMatchObject({
        message: expect.stringContaining('POOL:things'),
      });
    });

    it('that a test replaced by a fake, without opening the real one', async () => {
      const things = new Things();
      const app = await Test.createTestingModule({
        imports: [PoolModule.forRoot({ pools: { things: { ...custom(things), min: 1 } } })],
      })
        .overrideProvider(getPoolToken('things'))
        .useValue('fake')
        .compile();
      expect(app.get(getPoolToken('things'))).toBe('fake');
      expect(things.opened).toBe(0);
      await app.close();
    });
  });

  describe('refuses to start', () => {
    it('with one error that names every problem of every pool, before anything is opened', async () => {
      const things = new Things();
      const error = await startError(
        PoolModule.forRootAsync({
          pools: ['good', 'bad', 'missing'],
          useFactory: () =>
            ({
              startup: 'sometimes',
              shutdown: { drainTimeoutMs: -1 },
              pools: {
                good: { ...custom(things), min: 1 },
                bad: { type: 'custom', factory: { create: 1 }, max: 0, timeout: 3 },
                surprise: custom(),
              },
            }) as never,
        }),
      );
      expect(error).toBeInstanceOf(PoolOptionsError);
      expect((error as PoolOptionsError).problems).toEqual([
        'startup must be one of "require", "warn", "lazy", got "sometimes"',
        'shutdown: drainTimeoutMs must be milliseconds from 1 to 2147483647, got -1',
        'pool "surprise" has options but was not declared; add it to "pools" beside the factory',
        'pool "bad": factory.create must be a function',
        'pool "bad": factory.destroy must be a function',
        'pool "bad": max must be an integer >= 1, got 0',
        'pool "bad": unknown option "timeout"',
        'pool "missing" was declared but has no options',
      ]);
      expect(things.opened).toBe(0);
    });

    it.each([
      ['nothing at all', undefined, 'the options must be an object, got undefined'],
      ['no pools', {}, 'pools is missing: the options of each pool by its name'],
      [
        'a list of pools',
        { pools: [] },
        'pools must be an object with the options of each pool by its name, got an array',
      ],
      ['a pool without options', { pools: { a: null } }, 'pool "a": the options are missing'],
      [
        'a pool of no kind',
        { pools: { a: { type: 'mysql' } } },
        'pool "a": type must be one of "redis", "compression", "custom"',
      ],
    ])('when the factory gives %s', async (_what, given, problem) => {
      const error = await startError(
        PoolModule.forRootAsync({ pools: ['a'], useFactory: () => given as never }),
      );
      expect((error as PoolOptionsError).problems).toContain(problem);
    });

    it('when a name is declared twice, in one module or in two', async () => {
      const once = () => PoolModule.forFeature({ pools: { things: custom() } });
      await expect(startError(once(), once())).resolves.toMatchObject({
        problems: ['pool "things" is registered already, by another forRoot or forFeature'],
      });
      const twice = PoolModule.forRootAsync({
        pools: ['a', 'a'],
        useFactory: () => ({ pools: { a: custom() } }),
      });
      await expect(startError(twice)).resolves.toMatchObject({ problems: ['pool "a" is declared twice'] });
    });

    it('when a pool that is injected by class is of another type', () =>
      expect(startError(PoolModule.forRoot({ pools: { redis: custom() } }))).resolves.toMatchObject({
        problems: [
          'pool "redis": a pool of this name is injected by class, so its type must be "redis", got "custom"',
        ],
      }));

    it('when none, or two, of useFactory, useClass and useExisting are given', () => {
      expect(() => PoolModule.forRootAsync({ pools: ['a'] })).toThrow(
        'give exactly one of useFactory, useClass and useExisting, got none',
      );
      expect(() =>
        PoolModule.forFeatureAsync({ useFactory: () => ({}) as never, useClass: class {} as never }),
      ).toThrow('got useFactory and useClass');
    });
  });

  describe('at the start', () => {
    it('opens min resources of each pool before anybody is injected', async () => {
      const things = new Things();
      await withApp([PoolModule.forRoot({ pools: { things: { ...custom(things), min: 2 } } })], () =>
        expect(things.open).toBe(2),
      );
      expect(things.open).toBe(0);
    });

    it('fails with the real cause and closes what the other pools opened', async () => {
      const things = new Things();
      const error = await startError(
        PoolModule.forRoot({
          startupTimeoutMs: 50,
          pools: {
            things: { ...custom(things), min: 2 },
            broken: { type: 'custom', factory: unreachable, min: 1 },
          },
        }),
      );
      expect(error).toBeInstanceOf(PoolUnavailableError);
      expect(error).toMatchObject({ pool: 'broken', cause: { message: 'connect ECONNREFUSED 127.0.0.1:1' } });
      expect(things.opened).toBe(2);
      expect(things.open).toBe(0);
    });

    it('only warns when told so', async () => {
      const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
      const broken = { type: 'custom' as const, factory: unreachable, min: 1 };
      await withApp(
        [PoolModule.forRoot({ startup: 'warn', startupTimeoutMs: 20, pools: { broken } })],
        (app) => expect(poolNamed(app, 'broken').state).toBe('open'),
      );
      expect(warn).toHaveBeenCalledWith(expect.stringContaining('ECONNREFUSED'));
      warn.mockRestore();
    });

    it('opens nothing when told to be lazy', async () => {
      const things = new Things();
      const module = PoolModule.forRoot({
        startup: 'lazy',
        pools: { things: { ...custom(things), min: 2 } },
      });
      await withApp([module], async (app) => {
        expect(things.opened).toBe(0);
        await poolNamed(app, 'things').use(() => undefined);
        expect(things.opened).toBe(2);
      });
    });
  });

  describe('at shutdown', () => {
    it('turns readiness down and ends long-lived work before requests are cut off, and drains after', async () => {
      const order: string[] = [];
      const app = await Test.createTestingModule({
        imports: [PoolModule.forRoot({ pools: { things: custom() } })],
      }).compile();
      const registry = app.get(PoolRegistry);
      const pool = poolNamed(app, 'things');
      jest
        .spyOn(pool, 'endLongLivedWork')
        .mockImplementation(() => void order.push(`end ${registry.isShuttingDown}`));
      const drain = pool.drain.bind(pool);
      jest.spyOn(pool, 'drain').mockImplementation((options) => {
        order.push(`drain ${JSON.stringify(options)}`);
        return drain(options);
      });
      registry.beforeApplicationShutdown();
      expect(pool.state).toBe('open');
      await registry.onApplicationShutdown();
      await app.close();
      expect(order).toEqual(['end true', 'drain {}', 'end true', 'drain {}']); // which joins the first
      expect(pool.state).toBe('closed');
    });

    it('gives all pools the same time and logs who was late', async () => {
      const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
      const app = await Test.createTestingModule({
        imports: [
          PoolModule.forRoot({ shutdown: { drainTimeoutMs: 20 }, pools: { a: custom(), b: custom() } }),
        ],
      }).compile();
      await Promise.all([poolNamed(app, 'a').acquire(), poolNamed(app, 'b').acquire()]);
      await app.close();
      expect(warn.mock.calls.flat().join('\n')).toMatch(
        /Pool "a" drained .*revoked 1[^]*held for \d+ ms[^]*Pool "b" drained/,
      );
      warn.mockRestore();
    });
  });
});

describe('PoolRegistry', () => {
  it('names the pools there are when asked for one that is not', () =>
    withApp([PoolModule.forRoot({ pools: { things: custom() } })], (app) => {
      expect(() => app.get(PoolRegistry).get('thing')).toThrow(PoolNotFoundError);
      expect(() => app.get(PoolRegistry).get('thing')).toThrow('there is no such pool; registered: "things"');
    }));
});
