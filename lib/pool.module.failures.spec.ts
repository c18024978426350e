import { describe, expect, it } from '@jest/globals';
import { Injectable, type BeforeApplicationShutdown, type DynamicModule } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import type { ResourceFactory } from './core/resource-factory.js';
import { PoolModule } from './pool.module.js';
import type { CustomPoolOptions } from './pool.options.js';
import { PoolRegistry } from './pool.registry.js';

const nothing = (): void => undefined;
const SILENT = { log: nothing, error: nothing, warn: nothing };

const compile = (imports: DynamicModule[], providers: never[] = []): Promise<TestingModule> =>
  Test.createTestingModule({ imports, providers }).setLogger(SILENT).compile();

/** A pool that opens one thing at the start, and the number of those that are open. */
function watched(): { options: CustomPoolOptions; readonly open: number } {
  const open = new Set<object>();
  const factory: ResourceFactory<object> = {
    create: () => {
      const thing = {};
      open.add(thing);
      return Promise.resolve(thing);
    },
    destroy: (thing) => {
      open.delete(thing);
      return Promise.resolve();
    },
  };
  return {
    options: { type: 'custom', factory, min: 1 },
    get open() {
      return open.size;
    },
  };
}

const unreachable: CustomPoolOptions = {
  type: 'custom',
  factory: { create: () => Promise.reject(new Error('ECONNREFUSED')), destroy: () => Promise.resolve() },
  min: 1,
};

const startsOf = (app: TestingModule) =>
  app
    .get(PoolRegistry)
    .stats()
    .map(({ name, state }) => `${name} is ${state}`);

describe('A start that fails', () => {
  it.each<[string, DynamicModule, string]>([
    [
      'another module has wrong options',
      PoolModule.forFeature({ pools: { b: { ...unreachable, max: 0 } } }),
      'max must be an integer >= 1, got 0',
    ],
    [
      'another module takes the same name',
      PoolModule.forFeature({ pools: { things: unreachable } }),
      'pool "things" is registered already',
    ],
    [
      'the options of another module cannot be had',
      PoolModule.forFeatureAsync({ pools: ['b'], useFactory: () => Promise.reject(new Error('sealed')) }),
      'sealed',
    ],
    [
      'a pool of another module cannot be opened',
      PoolModule.forFeature({ startupTimeoutMs: 20, pools: { b: unreachable } }),
      'ECONNREFUSED',
    ],
  ])('closes what the pools have opened, when %s', async (_when, failing, why) => {
    const things = watched();
    const started = compile([PoolModule.forRoot({ pools: { things: things.options } }), failing]);
    await expect(started).rejects.toThrow(why);
    expect(things.open).toBe(0);
  });

  it('lets no pool open whose options come only after that', async () => {
    const things = watched();
    let give = nothing;
    const late = PoolModule.forFeatureAsync({
      pools: ['things'],
      useFactory: async () => {
        await new Promise<void>((resolve) => (give = resolve));
        return { pools: { things: things.options } };
      },
    });
    const failing = PoolModule.forRoot({ startupTimeoutMs: 20, pools: { b: unreachable } });
    await expect(compile([failing, late])).rejects.toThrow('ECONNREFUSED');
    give();
    await new Promise((resolve) => setImmediate(resolve));
    expect(things.open).toBe(0);
  });
});

describe('A lazy module that fails in a running application', () => {
  it('leaves the pools of others alone, and can be tried again', async () => {
    const [things, others] = [watched(), watched()];
    const app = await compile([PoolModule.forRoot({ pools: { things: things.options } })]);
    await app.init();
    const lazy = app.get(LazyModuleLoader);
    const load = (b: CustomPoolOptions) =>
      lazy.load(() => PoolModule.forFeature({ startupTimeoutMs: 20, pools: { others: others.options, b } }));

    await expect(load({ ...unreachable, max: 0 })).rejects.toThrow('max must be');
    await expect(load(unreachable)).rejects.toThrow('ECONNREFUSED');
    expect(startsOf(app)).toEqual(['things is open']);
    expect([things.open, others.open]).toEqual([1, 0]);

    await load(watched().options);
    expect(startsOf(app)).toEqual(['things is open', 'others is open', 'b is open']);
    await app.close();
    expect([things.open, others.open]).toEqual([0, 0]);
  });

  it('is drained with the rest, also when those were drained before', async () => {
    const [things, others] = [watched(), watched()];
    const app = await compile([PoolModule.forRoot({ pools: { things: things.options } })]);
    await app.init();
    await app.get(PoolRegistry).drain();
    await app.get(LazyModuleLoader).load(() => PoolModule.forFeature({ pools: { others: others.options } }));
    await app.close();
    expect(others.open).toBe(0);
  });

  it('does not start any more when the application is closed, for nobody would drain it', async () => {
    const things = watched();
    const app = await compile([PoolModule.forRoot({ pools: {} })]);
    await app.init();
    await app.close();
    const late = app
      .get(LazyModuleLoader)
      .load(() => PoolModule.forFeature({ pools: { things: things.options } }));
    await expect(late).rejects.toThrow('things');
    expect(things.open).toBe(0);
    expect(app.get(PoolRegistry).isShuttingDown).toBe(true);
  });
});

describe('A registration that makes no sense', () => {
  it('is refused with every problem at once, and not only by TypeScript', () => {
    const given = { pools: 'cache', isGlobal: 'no', inject: {}, startup: 'lazy', useFactory: 1 };
    expect(() => PoolModule.forRootAsync(given as never)).toThrow(
      expect.objectContaining({
        problems: [
          'pools must be an array of names, got a string',
          'isGlobal must be true or false, got a string',
          'inject must be an array, got an object',
          'unknown option "startup"',
          'useFactory must be a function that returns the options, got 1',
        ],
      }),
    );
    expect(() => PoolModule.forRootAsync(undefined as never)).toThrow('the options must be an object');
  });

  it.each([
    ['nothing', undefined],
    ['no pools', {}],
  ])('is refused at the start where forRoot is given %s', (_what, given) =>
    expect(compile([PoolModule.forRoot(given as never)])).rejects.toMatchObject({
      problems: ['pools is missing: the options of each pool by its name'],
    }),
  );

  it('is none where an option is undefined, which is as good as not given', () =>
    expect(
      PoolModule.forRootAsync({ pools: undefined, isGlobal: undefined, useFactory: nothing as never }),
    ).toMatchObject({ global: true, exports: expect.arrayContaining(['POOL:redis']) as unknown }));
});

describe('From the first moment of a shutdown', () => {
  @Injectable()
  class WaitsForTheLoadBalancer implements BeforeApplicationShutdown {
    ready: boolean | undefined;

    constructor(private readonly pools: PoolRegistry) {}

    beforeApplicationShutdown(): void {
      this.ready = !this.pools.isShuttingDown;
    }
  }

  it('the application is not ready, so that a hook of its own can wait until the load balancer knows', async () => {
    const app = await compile([PoolModule.forRoot({ pools: { things: watched().options } })], [
      WaitsForTheLoadBalancer,
    ] as never[]);
    await app.init();
    expect(app.get(PoolRegistry).isShuttingDown).toBe(false);
    await app.close();
    expect(app.get(WaitsForTheLoadBalancer).ready).toBe(false);
  });
});
