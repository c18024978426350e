import { afterEach, beforeEach, describe, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { poolCommands, poolOptions } from '../../test/support/pool-model.commands.js';
import { endWell } from '../../test/support/pool-model.ending.js';
import { PoolModel } from '../../test/support/pool-model.js';

/** The environment has more of it hunted through: `POOL_MODEL_RUNS=100000 POOL_MODEL_SEED=7 npm test -- model`. */
const RUNS = Number(process.env.POOL_MODEL_RUNS ?? 5_000);
const SEED = Number(process.env.POOL_MODEL_SEED ?? 1);
/** A run takes three where nothing else is at work. */
const MS_PER_RUN = 150;

/** What `Math.random` gives all through a run; the pool spaces out and staggers with it. */
const jitter = fc.constantFrom(0, 0.5, 0.99);

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(process, 'emitWarning').mockReturnValue(undefined); // of listeners that throw
});

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

describe('whatever happens, in whatever order', () => {
  it(
    'the promises of the pool hold after every step',
    async () => {
      const property = fc.asyncProperty(
        poolOptions,
        jitter,
        poolCommands,
        async (options, jitter, commands) => {
          jest.clearAllTimers();
          jest.spyOn(Math, 'random').mockReturnValue(jitter);
          const model = new PoolModel(options);
          await fc.asyncModelRun(() => ({ model, real: model }), commands);
          await endWell(model);
        },
      );
      await fc.assert(property, { numRuns: RUNS, seed: SEED });
    },
    RUNS * MS_PER_RUN,
  );
});
