import { describe, expect, it } from '@jest/globals';
import { PoolQueueFullError } from '../core/pool.errors.js';
import { ByteBudget } from './byte-budget.js';

describe('ByteBudget', () => {
  it('gives what there is and refuses what is over it', () => {
    const budget = new ByteBudget('archive', 100);
    budget.take(60);
    budget.take(40);
    expect(() => budget.take(1)).toThrow(PoolQueueFullError);
    budget.giveBack(60);
    budget.take(60);
    expect(budget.taken).toBe(100);
  });

  it('tells in the error how many bytes there are, and what to do', () => {
    const budget = new ByteBudget('archive', 100);
    budget.take(60);
    const message =
      '[pool "archive"] the inputs of calls that wait or run have 60 bytes, and with 41 more would pass 100 (maxQueuedBytes); ' +
      'shed load, raise max, or raise maxQueuedBytes';
    expect(() => budget.take(41)).toThrow(
      expect.objectContaining({
        code: 'ERR_POOL_QUEUE_FULL',
        message,
        stack: expect.stringContaining(message),
      }),
    );
  });

  it('lets an input through that is larger than all there is, but alone', () => {
    const budget = new ByteBudget('archive', 100);
    budget.take(5_000);
    expect(() => budget.take(1)).toThrow('maxQueuedBytes');
    budget.giveBack(5_000);
    budget.take(1);
    expect(() => budget.take(5_000)).toThrow('maxQueuedBytes');
  });

  it('refuses nothing where there is no limit', () => {
    const budget = new ByteBudget('archive', 0);
    budget.take(2 ** 40);
    budget.take(2 ** 40);
    expect(budget.taken).toBe(2 ** 41);
  });
});
