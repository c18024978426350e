import genericPool from 'generic-pool';

/**
 * The book of a pool's slots: which exist, which lie idle in which order, which are out. generic-pool keeps it.
 *
 * It is run synchronously. What takes time - opening, validating, resetting, closing - is done by the pool on a slot that is out, so
 * everything generic-pool is asked for can be had at once: its factory makes an empty slot on the spot, its queue never holds more
 * than the one request being served, and a slot leaves the book only when its resource is gone. How many there may be is
 * admission's business too, because it changes while the pool runs.
 */
export class Inventory<Slot extends object> {
  readonly #shelf = new Shelf<Slot>();
  readonly #slots = new Set<Slot>();
  readonly #book: GenericPool<Slot>;

  constructor(makeSlot: () => Slot, order: 'lifo' | 'fifo') {
    const shelf = this.#shelf;
    this.#book = new Pool<Slot>(
      DefaultEvictor,
      function TheShelf() {
        return shelf;
      },
      SingleRequest,
      { create: () => Immediate.resolve(makeSlot()), destroy: () => Immediate.resolve(undefined) },
      { max: Number.MAX_SAFE_INTEGER, fifo: order === 'fifo', Promise: Immediate },
    );
  }

  /** All slots, in and out. */
  get size(): number {
    return this.#slots.size;
  }

  get idle(): number {
    return this.#shelf.length;
  }

  /** All slots in the order in which they were added. */
  slots(): IterableIterator<Slot> {
    return this.#slots.values();
  }

  /** The idle slots, the next to be taken last. */
  idleSlots(): Slot[] {
    return this.#shelf.coldestFirst();
  }

  /** Takes the next idle slot out. */
  take(): Slot | undefined {
    return this.#shelf.length === 0 ? undefined : this.#book.acquire().value;
  }

  /** Takes this slot out, if it lies idle. */
  takeThis(slot: Slot): boolean {
    if (!this.#shelf.bringForward(slot)) return false;
    this.#book.acquire();
    return true;
  }

  /** Adds a slot, which is out. */
  add(): Slot {
    // generic-pool makes a new one only when nothing lies idle.
    const slot = this.#shelf.setAside(() => this.#book.acquire().value);
    this.#slots.add(slot);
    return slot;
  }

  /** Puts back a slot that is out. */
  shelve(slot: Slot): void {
    this.#book.release(slot);
  }

  /** Strikes a slot that is out from the book. */
  remove(slot: Slot): void {
    this.#slots.delete(slot);
    this.#book.destroy(slot);
  }
}

/** The idle slots, kept so that the next to be taken stands last. Given to generic-pool in place of its own deque. */
class Shelf<Slot> {
  #entries: { readonly obj: Slot }[] = [];

  get length(): number {
    return this.#entries.length;
  }

  /** generic-pool takes from here. */
  shift(): { readonly obj: Slot } | undefined {
    return this.#entries.pop();
  }

  /** generic-pool puts back here in lifo order. */
  unshift(entry: { readonly obj: Slot }): void {
    this.#entries.push(entry);
  }

  /** generic-pool puts back here in fifo order. */
  push(entry: { readonly obj: Slot }): void {
    this.#entries.unshift(entry);
  }

  /** generic-pool's evictor would walk along this; it is switched off. */
  iterator(): Iterator<never> {
    return [].values();
  }

  coldestFirst(): Slot[] {
    return this.#entries.map((entry) => entry.obj);
  }

  bringForward(slot: Slot): boolean {
    const at = this.#entries.findIndex((entry) => entry.obj === slot);
    if (at === -1) return false;
    this.#entries.push(...this.#entries.splice(at, 1));
    return true;
  }

  /** Does `work` as if nothing lay idle. */
  setAside<R>(work: () => R): R {
    const entries = this.#entries;
    this.#entries = [];
    try {
      return work();
    } finally {
      this.#entries = entries;
    }
  }
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

interface GenericPool<Slot> {
  acquire(): Immediate<Slot>;
  release(slot: Slot): Immediate<void>;
  destroy(slot: Slot): Immediate<void>;
}

/** generic-pool's own typings leave out its constructor and the `Promise` option, though its documentation has both. */
type GenericPoolConstructor = new <Slot>(
  evictor: unknown,
  deque: unknown,
  priorityQueue: unknown,
  factory: { create: () => Immediate<Slot>; destroy: () => Immediate<void> },
  options: { max: number; fifo: boolean; Promise: typeof Immediate },
) => GenericPool<Slot>;

const { Pool, DefaultEvictor } = genericPool as unknown as {
  Pool: GenericPoolConstructor;
  DefaultEvictor: unknown;
};
