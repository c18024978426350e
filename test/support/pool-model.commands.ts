import fc from 'fast-check';
import type { PoolEvent } from '../../lib/core/pool.events.js';
import type { PoolOptions } from '../../lib/core/pool.options.js';
import type { Priority } from '../../lib/core/waiting-line.js';
import { Conduct as FactoryConduct } from './fake-factory.js';
import type { Wish } from './pool-model.caller.js';
import type { Conduct, Ending } from './pool-model.callers.js';
import { elapse } from './pool-model.clock.js';
import type { PoolModel } from './pool-model.js';

/** Something that is done to a pool. */
type PoolCommand = fc.AsyncCommand<PoolModel, PoolModel>;

const any = fc.constantFrom;

/** How long nothing is done after something was; or the next thing happens in the same turn of the event loop. */
const pause = any<'at once' | number>('at once', 'at once', 0, 0, 1, 20, 100, 400, 2_100, 4_100);

function command<Args extends unknown[]>(
  name: string,
  args: { [Key in keyof Args]: fc.Arbitrary<Args[Key]> },
  act: (model: PoolModel, ...args: Args) => void,
): fc.Arbitrary<PoolCommand> {
  return fc.tuple(fc.tuple<Args>(...args), pause).map(([given, ms]) => ({
    check: () => true,
    async run(model: PoolModel) {
      act(model, ...given);
      model.checkCounts();
      if (ms === 'at once') return;
      await elapse(ms);
      model.check();
    },
    toString: () =>
      `${name}(${given.map((each) => JSON.stringify(each)).join(', ')})${ms === 'at once' ? '' : ` +${ms}`}`,
  }));
}

const number = fc.nat(5);
const client = fc.nat(2);
const wish = [any<Priority>('normal', 'high', 'low'), any(0, 50, 1_000, 6_000), client] as const;

/** Client 0 has no signal. */
function wishOf(model: PoolModel, priority: Priority, timeoutMs: number, client: number): Wish {
  return { priority, timeoutMs, signal: client === 0 ? undefined : model.client(client).signal };
}

const ask = command('ask', [...wish], (model, ...given) => model.callers.ask(wishOf(model, ...given)));

const run = command(
  'run',
  [any<Conduct>('holds', 'throws', 'heeds', 'asks again'), ...wish],
  (model, conduct, ...given) => model.callers.run(wishOf(model, ...given), conduct),
);

const end = command(
  'end',
  [number, any<Ending>('gives it back', 'destroys it', 'fails')],
  ({ callers }, number, how) => callers.end(callers.holder(number), how),
);

const endAgain = command('end again', [number], ({ callers }, number) => callers.endAgain(number));

const abort = command('abort', [client], (model, client) => model.abort(client));

const lose = command('lose', [number], ({ factory }, number) => factory.lose(factory.lives.at(-1 - number)));

const resize = command('resize', [fc.nat(2), fc.nat(2)], ({ pool }, min, more) =>
  pool.resize({ min, max: min + more || 1 }),
);

const start = command('start', [any(20, 250)], (model, ms) => model.start(ms));

const suspend = command('suspend', [], (model) => model.suspend());

const resume = command('resume', [], ({ pool }) => pool.resume());

const renew = command('renew', [], (model) => model.renew());

const drain = command('drain', [any(0, 50, 500, 3_000)], (model, ms) => model.drain(ms));

const watchStats = command('watch stats', [any(100, 1_000)], (model, ms) => model.watchStats(ms));

const manner = any(
  'works' as const,
  'works' as const,
  'rejects' as const,
  'throws' as const,
  'hangs' as const,
);
const ms = any(0, 20, 250);

const create = command(
  'create',
  [
    manner,
    ms,
    any('new' as const, 'new' as const, 'nothing' as const, 'known' as const),
    any('quiet' as const, 'quiet' as const, 'throws' as const, 'breaks' as const),
    fc.boolean(),
  ],
  ({ factory }, manner, ms, gift, watching, heedsAbort) => {
    Object.assign(factory.creates, { manner, ms });
    Object.assign(factory, { gift, watching, heedsAbort });
  },
);

const destroy = command('destroy', [manner, ms], ({ factory }, manner, ms) =>
  Object.assign(factory.destroys, { manner, ms }),
);

const validate = command(
  'validate',
  [manner, ms, any(true, true, false, undefined)],
  ({ factory }, manner, ms, answer) => Object.assign(factory.validates, { manner, ms, answer: () => answer }),
);

const reset = command(
  'reset',
  [manner, ms, any('keep', 'keep', 'discard', undefined)],
  ({ factory }, manner, ms, answer) => Object.assign(factory.resets, { manner, ms, answer: () => answer }),
);

const interrupt = command('interrupt', [manner, ms], ({ factory }, manner, ms) => {
  factory.interrupts = Object.assign(new FactoryConduct('interrupt'), { manner, ms });
});

const eventType = any<PoolEvent['type']>(
  'acquired',
  'released',
  'created',
  'create-failed',
  'destroyed',
  'timed-out',
  'leaked',
  'returned-late',
  'state-changed',
  'breaker-opened',
  'breaker-closed',
);

/** What listeners do in the middle of what they hear of. */
const REACTIONS = {
  nothing: () => undefined,
  throws: () => {
    throw new Error('a listener failed');
  },
  asks: ({ callers }: PoolModel) => callers.ask({ priority: 'normal', timeoutMs: 50 }),
  'gives back': ({ callers }: PoolModel) => callers.endAll(),
  loses: ({ factory }: PoolModel) => factory.lives.forEach((life) => factory.lose(life)),
  aborts: (model: PoolModel) => model.abort(1),
  shrinks: ({ pool }: PoolModel) => pool.resize({ min: 0, max: 1 }),
  suspends: (model: PoolModel) => model.suspend(),
  resumes: ({ pool }: PoolModel) => pool.resume(),
  renews: (model: PoolModel) => model.renew(),
  grows: ({ pool }: PoolModel) => pool.resize({ max: 4 }),
  drains: (model: PoolModel) => model.drain(50),
};

const reaction = any(...(Object.keys(REACTIONS) as (keyof typeof REACTIONS)[]));

const react = command('react', [eventType, reaction], (model, type, reaction) =>
  model.react(type, () => REACTIONS[reaction](model)),
);

/** The factory does as listeners do, in the middle of a call. That it throws is a matter of manner. */
const meddle = command(
  'meddle',
  [
    any('create' as const, 'destroy' as const, 'validate' as const, 'reset' as const),
    reaction.filter((each) => each !== 'throws'),
  ],
  (model, duty, reaction) => model.meddle(duty, () => REACTIONS[reaction](model)),
);

/** Anything in any order; what is done more often stands here more than once. */
export const poolCommands: fc.Arbitrary<Iterable<PoolCommand>> = fc.commands(
  [
    ...[ask, ask, ask, run, run, end, end, end, endAgain, abort, lose],
    ...[resize, start, suspend, resume, renew, drain, watchStats, react, meddle],
    ...[create, destroy, validate, reset, interrupt],
  ],
  { maxCommands: 40, size: 'max' },
);

/** Every feature on and off. */
export const poolOptions: fc.Arbitrary<PoolOptions> = fc
  .record({
    min: fc.nat(2),
    max: fc.integer({ min: 1, max: 4 }),
    maxWaiting: any(10_000, 10_000, 2, 0),
    createTimeoutMs: fc.constant(200),
    destroyTimeoutMs: fc.constant(150),
    idleTimeoutMs: any(0, 400),
    maxLifetimeMs: any(0, 1_000),
    maxUses: any(0, 0, 1, 3),
    validateAfterIdleMs: any(500, 100, 0),
    keepAliveMs: any(0, 300),
    leakThresholdMs: any(0, 0, 500),
    order: any('lifo', 'fifo'),
  })
  .map((options) => ({ ...options, min: Math.min(options.min, options.max) }));
