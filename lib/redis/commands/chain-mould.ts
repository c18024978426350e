import { isDeepStrictEqual } from 'node:util';
import type { Command, Pipeline } from 'ioredis';
import type { RedisConnection } from '../redis-connection.js';

/** What each pipeline of ioredis has for itself. */
interface OwnState {
  redis: RedisConnection;
  replyPending: number;
  _queue: Command[];
  _result: unknown[];
  _transactions: number;
  scriptsSet: Record<string, unknown>;
  addedBuiltinSet: Set<string>;
  promise: Promise<unknown>;
  resolve: (replies: unknown) => void;
  reject: (error: Error) => void;
}

/** What all the pipelines of a client have alike. */
const SHARED = ['isPipeline', 'isCluster', 'options', '_shaToScript', 'length'];

const moulds = new WeakMap<RedisConnection, ChainMould>();

/** An empty pipeline, as `maker.pipeline()` makes it, for much less. */
export function emptyPipeline(maker: RedisConnection): Pipeline {
  let mould = moulds.get(maker);
  if (mould?.isCurrent !== true) {
    mould = new ChainMould(maker);
    moulds.set(maker, mould);
  }
  return mould.cast();
}

/**
 * Casts the pipelines of a client in the likeness of one of them.
 *
 * ioredis defines `length` on each pipeline anew, with a getter of its own, so V8 makes a hidden class for each: to make those and to
 * collect them again is more than half of what a pipeline of ten GETs costs. Those that are cast inherit from one pipeline what all
 * have alike, and one getter.
 *
 * That rests on what ioredis 6.0 has inside. Where one of its pipelines has more, or less, or something else, each is made by ioredis.
 */
class ChainMould {
  readonly #maker: RedisConnection;
  readonly #model: Pipeline;
  readonly #added: readonly string[];
  readonly #parent: object;
  readonly #fits: boolean;

  constructor(maker: RedisConnection) {
    this.#maker = maker;
    this.#model = maker.pipeline() as Pipeline;
    this.#added = addedTo(maker);
    this.#parent = Object.create(this.#model, { length: { get: lengthOfQueue } }) as object;
    this.#fits = isAlike(this.#model, this.#castOne(), this.#added);
  }

  /** The client has no other scripts and added commands than ioredis has copied to the model. */
  get isCurrent(): boolean {
    const added = addedTo(this.#maker);
    const isSame = (name: string) => valueOf(this.#maker, name) === valueOf(this.#model, name);
    return added.length === this.#added.length && added.every(isSame);
  }

  cast(): Pipeline {
    return this.#fits ? this.#castOne() : (this.#maker.pipeline() as Pipeline);
  }

  #castOne(): Pipeline {
    const chain = Object.create(this.#parent) as OwnState;
    chain.redis = this.#maker;
    chain.replyPending = 0;
    chain._queue = [];
    chain._result = [];
    chain._transactions = 0;
    chain.scriptsSet = {};
    chain.addedBuiltinSet = new Set();
    chain.promise = new Promise((resolve, reject) => {
      chain.resolve = resolve;
      chain.reject = reject;
    });
    return chain as unknown as Pipeline;
  }
}

function lengthOfQueue(this: OwnState): number {
  return this._queue.length;
}

/** The methods that a client has beyond those of every client. */
function addedTo({ scriptsSet, addedBuiltinSet }: RedisConnection): string[] {
  return [...Object.keys(scriptsSet), ...addedBuiltinSet].flatMap((name) => [name, `${name}Buffer`]);
}

function isAlike(model: Pipeline, cast: Pipeline, added: readonly string[]): boolean {
  const own = Object.keys(cast);
  const known = new Set<string | symbol>([...own, ...SHARED, ...added]);
  const names = Reflect.ownKeys(model);
  return (
    names.length === known.size &&
    names.every((name) => known.has(name)) &&
    own.every((name) => isSameState(valueOf(model, name), valueOf(cast, name)))
  );
}

/** A promise and what settles it differ by nature. */
const isSameState = (one: unknown, other: unknown): boolean =>
  one instanceof Promise || one instanceof Function
    ? Object.getPrototypeOf(one) === Object.getPrototypeOf(other)
    : isDeepStrictEqual(one, other);

const valueOf = (object: object, name: string): unknown => (object as Record<string, unknown>)[name];
