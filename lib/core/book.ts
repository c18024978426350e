import genericPool from 'generic-pool';

/** The part of generic-pool that an inventory uses. */
export interface Book<Slot> {
  acquire(): Immediate<Slot>;
  release(slot: Slot): Immediate<void>;
  destroy(slot: Slot): Immediate<void>;
}

/**
 * Opens a generic-pool that runs synchronously: each operation is done when its call returns. It can, because its factory makes an
 * empty slot on the spot and its queue never holds more than the one request being served; so it is given a queue for one, and
 * settled values in place of promises. Slots lie idle on `shelf`.
 */
export function openBook<Slot>(makeSlot: () => Slot, shelf: object, order: 'lifo' | 'fifo'): Book<Slot> {
  function TheShelf() {
    return shelf;
  }
  const factory = {
    create: () => Immediate.resolve(makeSlot()),
    destroy: () => Immediate.resolve(undefined),
  };
  // How many there may be is admission's business, because it changes while the pool runs.
  const options = { max: Number.MAX_SAFE_INTEGER, fifo: order === 'fifo', Promise: Immediate };
  return new Pool<Slot>(DefaultEvictor, TheShelf, SingleRequest, factory, options);
}

/** The one request that generic-pool is serving at this moment. Given to it in place of its priority queue. */
class SingleRequest {
  #request: unknown;

  get length(): 0 | 1 {
    return this.#request === undefined ? 0 : 1;
  }

  enqueue(request: unknown): void {
    this.#request = request;
  }

  dequeue(): unknown {
    const request = this.#request;
    this.#request = undefined;
    return request;
  }
}

/**
 * What generic-pool takes for a promise (its documented `Promise` option): settled on the spot and read without waiting.
 * Nothing that it is given here can fail.
 */
class Immediate<V> {
  value!: V;

  static resolve<V>(value: V | Immediate<V>): Immediate<V> {
    if (value === undefined) return NOTHING as Immediate<V>;
    return value instanceof Immediate ? value : new Immediate<V>((resolve) => resolve(value));
  }

  constructor(executor: (resolve: (value: V) => void) => void) {
    executor((value) => {
      this.value = value;
    });
  }

  then<R>(next: (value: V) => R | Immediate<R>): Immediate<R> {
    return Immediate.resolve(next(this.value));
  }

  catch(): this {
    return this;
  }
}

/** What generic-pool gives for an operation without a result; made once. */
const NOTHING = new Immediate<undefined>(() => undefined);

/** generic-pool's own typings leave out its constructor and the `Promise` option, though its documentation has both. */
type GenericPoolConstructor = new <Slot>(
  evictor: unknown,
  deque: unknown,
  priorityQueue: unknown,
  factory: { create: () => Immediate<Slot>; destroy: () => Immediate<void> },
  options: { max: number; fifo: boolean; Promise: typeof Immediate },
) => Book<Slot>;

const { Pool, DefaultEvictor } = genericPool as unknown as {
  Pool: GenericPoolConstructor;
  DefaultEvictor: unknown;
};
