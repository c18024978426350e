import genericPool from 'generic-pool';

/**
 * The book of a pool's slots: which exist, which lie idle in which order, which are out. generic-pool keeps it.
 *
 * It is run synchronously. What takes time - opening, validating, resetting, closing - is done by the pool on a slot that is out, so
 * everything generic-pool is asked for can be had at once: its factory makes an empty slot on the spot, its queue never holds more
 * than the one request being served, and a slot leaves the book only when its resource is gone. How many there may be is
 * admission's business too, because it changes while the pool runs.
 */
export class Inventory<Slot extends Shelvable> {
  readonly #shelf: Shelf<Slot>;
  readonly #slots = new Set<Slot>();
  readonly #book: GenericPool<Slot>;

  constructor(makeSlot: () => Slot, order: 'lifo' | 'fifo') {
    const shelf = new Shelf<Slot>(order);
    this.#shelf = shelf;
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

  /** The idle slots, those used longest ago first. */
  idleSlots(): Slot[] {
    return this.#shelf.coldestFirst();
  }

  /** The idle slot that `take` would take. */
  get next(): Slot | undefined {
    return this.#shelf.next;
  }

  /** Takes the next idle slot out. */
  take(): Slot | undefined {
    return this.#shelf.length === 0 ? undefined : this.#book.acquire().value;
  }

  /** Takes this slot out, if it lies idle. */
  takeThis(slot: Slot): boolean {
    if (!this.#shelf.has(slot)) return false;
    this.#shelf.withOnly(slot, () => this.#book.acquire());
    return true;
  }

  /** Adds a slot, which is out. */
  add(): Slot {
    // generic-pool makes a new one only when nothing lies idle.
    const slot = this.#shelf.withNone(() => this.#book.acquire().value);
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

/** What a slot must tell to have its place on the shelf. */
interface Shelvable {
  /** When it was last used. */
  readonly usedAt: number;
}

interface Entry<Slot> {
  readonly obj: Slot;
}

/**
 * The idle slots, in the order of their last use. Given to generic-pool in place of its own deque.
 * One that was out without being used (to be validated) comes back to where it was, so that the cold ones stay cold and can go.
 */
class Shelf<Slot extends Shelvable> {
  readonly #order: 'lifo' | 'fifo';
  #entries: Entry<Slot>[] = [];

  constructor(order: 'lifo' | 'fifo') {
    this.#order = order;
  }

  get length(): number {
    return this.#entries.length;
  }

  get next(): Slot | undefined {
    return (this.#order === 'lifo' ? this.#entries.at(-1) : this.#entries[0])?.obj;
  }

  /** generic-pool takes from here. */
  shift(): Entry<Slot> | undefined {
    return this.#order === 'lifo' ? this.#entries.pop() : this.#entries.shift();
  }

  /** generic-pool puts back here in lifo order. */
  unshift(entry: Entry<Slot>): void {
    this.push(entry);
  }

  /** generic-pool puts back here in fifo order. */
  push(entry: Entry<Slot>): void {
    let at = this.#entries.length;
    while (at > 0 && this.#entries[at - 1]!.obj.usedAt > entry.obj.usedAt) at -= 1;
    if (at === this.#entries.length) this.#entries.push(entry);
    else this.#entries.splice(at, 0, entry);
  }

  /** generic-pool's evictor would walk along this; it is switched off. */
  iterator(): Iterator<never> {
    return [].values();
  }

  coldestFirst(): Slot[] {
    return this.#entries.map((entry) => entry.obj);
  }

  has(slot: Slot): boolean {
    return this.#entries.some((entry) => entry.obj === slot);
  }

  /** Does `work` as if only this slot lay idle. */
  withOnly<R>(slot: Slot, work: () => R): R {
    const others = this.#entries.filter((entry) => entry.obj !== slot);
    this.#entries = this.#entries.filter((entry) => entry.obj === slot);
    try {
      return work();
    } finally {
      this.#entries = others;
    }
  }

  /** Does `work` as if nothing lay idle. */
  withNone<R>(work: () => R): R {
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
