/** What a slot must tell to have its place on the shelf. */
export interface Shelvable {
  /** When it was last used. */
  readonly usedAt: number;
}

/** What generic-pool wraps around a slot. */
interface Entry<Slot> {
  readonly obj: Slot;
}

/**
 * The idle slots, in the order of their last use. Given to generic-pool in place of its own deque.
 * One that was out without being used (to be validated) comes back to where it was, so that the cold ones stay cold and can go.
 */
export class Shelf<Slot extends Shelvable> {
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
