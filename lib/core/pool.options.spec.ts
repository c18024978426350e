import { describe, expect, it } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { PoolOptionsError } from './pool.errors.js';
import {
  limitProblems,
  POOL_DEFAULTS,
  poolOptionProblems,
  type PoolOptions,
  withDefaults,
} from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

/** The problems of a pool that cannot be made. */
function problemsOf(options: unknown, factory: unknown = new FakeFactory()): readonly string[] {
  try {
    new ResourcePool('cache', factory as FakeFactory, options as PoolOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(PoolOptionsError);
    return (error as PoolOptionsError).problems;
  }
  return [];
}

const WHOLE_FROM_0 = ['min', 'maxWaiting', 'maxUses'];
const MS_FROM_1 = ['createTimeoutMs', 'destroyTimeoutMs'];
const MS_FROM_0 = [
  'acquireTimeoutMs',
  'idleTimeoutMs',
  'maxLifetimeMs',
  'validateAfterIdleMs',
  'keepAliveMs',
  'leakThresholdMs',
];

describe('the options of a pool', () => {
  it('are all optional, with the defaults that are documented', () => {
    expect(problemsOf({})).toEqual([]);
    expect(POOL_DEFAULTS).toEqual({
      min: 0,
      max: 10,
      acquireTimeoutMs: 5_000,
      maxWaiting: 10_000,
      createTimeoutMs: 10_000,
      destroyTimeoutMs: 5_000,
      idleTimeoutMs: 30_000,
      maxLifetimeMs: 1_800_000,
      maxUses: 0,
      validateAfterIdleMs: 500,
      keepAliveMs: 0,
      leakThresholdMs: 0,
      order: 'lifo',
      detectDeadlocks: true,
    });
    expect(Object.isFrozen(POOL_DEFAULTS)).toBe(true);
  });

  it('are laid over the defaults; undefined counts as not given, and strangers are left out', () => {
    const options = withDefaults(POOL_DEFAULTS, { max: 3, min: undefined, colour: 'red' });
    expect(options).toEqual({ ...POOL_DEFAULTS, max: 3 });
    expect(Object.isFrozen(options)).toBe(true);
  });

  it.each(WHOLE_FROM_0)('refuse a %s that is no whole number from 0', (option) => {
    for (const value of [-1, 1.5, NaN, Infinity, '3', null, true, {}])
      expect(problemsOf({ [option]: value })).toEqual([
        expect.stringMatching(`^${option} must be an integer >= 0, got `),
      ]);
    expect(problemsOf({ [option]: 0 })).toEqual([]);
  });

  it('refuse a max that is no whole number from 1', () => {
    for (const value of [0, -1, 1.5, NaN, '3', null]) expect(problemsOf({ max: value })).toHaveLength(1);
    expect(problemsOf({ max: 1 })).toEqual([]);
  });

  it.each(MS_FROM_1)('refuse a %s that is no time, or longer than a timer can be', (option) => {
    for (const value of [0, -1, NaN, Infinity, 2 ** 31, '1s', null])
      expect(problemsOf({ [option]: value })).toEqual([
        expect.stringMatching(`^${option} must be milliseconds from 1 to 2147483647, got `),
      ]);
    expect(problemsOf({ [option]: 1 })).toEqual([]);
  });

  it.each(MS_FROM_0)('refuse a %s that is neither 0 nor a time', (option) => {
    for (const value of [-1, NaN, Infinity, 2 ** 31, '1s', null])
      expect(problemsOf({ [option]: value })).toEqual([
        expect.stringMatching(`^${option} must be milliseconds from 0`),
      ]);
    expect(problemsOf({ [option]: 0 })).toEqual([]);
  });

  it('do not call 0 "off" where it is not', () => {
    expect(problemsOf({ validateAfterIdleMs: -1 })[0]).not.toContain('(off)');
  });

  it('refuse an order that does not exist', () => {
    expect(problemsOf({ order: 'random' })).toEqual(['order must be one of "lifo", "fifo", got "random"']);
  });

  it('refuse what they do not know, and name what was probably meant', () => {
    expect(problemsOf({ maximum: 3, idleTimeoutMillis: 5, evictionRunIntervalMillis: 1 })).toEqual([
      'unknown option "maximum"',
      'unknown option "idleTimeoutMillis"; did you mean "idleTimeoutMs"?',
      'unknown option "evictionRunIntervalMillis"',
    ]);
  });

  it('refuse a min above max, the default one included', () => {
    expect(problemsOf({ min: 3, max: 2 })).toEqual(['min (3) must not be greater than max (2)']);
    expect(problemsOf({ min: 11 })).toEqual(['min (11) must not be greater than max (10)']);
    expect(limitProblems({ min: 2, max: 2 })).toEqual([]);
  });

  it('refuse anything that is no object', () => {
    for (const options of [null, 'max=3', 3, [], () => 3]) expect(problemsOf(options)).toHaveLength(1);
    expect(poolOptionProblems(undefined)).toEqual(['the options must be an object, got undefined']);
  });

  it('need a factory that can create and destroy', () => {
    const method = () => Promise.resolve();
    expect(problemsOf({}, null)).toEqual([expect.stringContaining('factory must be a ResourceFactory')]);
    expect(problemsOf({}, {})).toEqual([
      'factory.create must be a function',
      'factory.destroy must be a function',
    ]);
    expect(
      problemsOf({}, { create: method, destroy: method, validate: true, reset: 'keep', watch: null }),
    ).toEqual([
      'factory.validate must be a function',
      'factory.reset must be a function',
      'factory.watch must be a function',
    ]);
    expect(problemsOf({}, { create: method, destroy: method, validate: undefined })).toEqual([]);
  });

  it('have all their problems told in one error, and nothing opened', () => {
    const factory = new FakeFactory();
    const options = { min: -1, max: 'many', order: 'lilo', secret: 'hunter2' } as unknown as PoolOptions;
    expect(() => new ResourcePool('cache', factory, options)).toThrow(
      new PoolOptionsError('cache', [
        'min must be an integer >= 0, got -1',
        'max must be an integer >= 1, got a string',
        'order must be one of "lifo", "fifo", got "lilo"',
        'unknown option "secret"',
      ]),
    );
    expect(factory.creates.calls).toBe(0);
  });

  it('never have a string shown that may be a secret', () => {
    const names = Object.keys(POOL_DEFAULTS).filter((name) => name !== 'order');
    const options = Object.fromEntries([...names, 'password', 'url'].map((name) => [name, 'hunter2']));
    const problems = problemsOf(options);
    expect(problems).toHaveLength(names.length + 2);
    expect(problems.join()).not.toContain('hunter2');
  });
});
