import { openBook, type Book } from './book.js';
import { Shelf, type Shelvable } from './shelf.js';

/**
 * Which slots exist, which lie idle in which order, which are out. generic-pool keeps the book.
 *
 * What takes time - opening, validating, resetting, closing - is done by the pool on a slot that is out, so everything generic-pool is
 * asked for can be had at once, and a slot leaves the book only when its resource is gone.
 */
export class Inventory<Slot extends Shelvable> {
  readonly #shelf: Shelf<Slot>;
  readonly #slots = new Set<Slot>();
  readonly #book: Book<Slot>;
  readonly #keepsOneAtHand: boolean;
  /**
   * In lifo order, the slot that was used last: idle, and out by the book. It is the next to be taken, so entering it in the book and
   * striking it out again would double the cost of an acquire and release.
   */
  #atHand: Slot | undefined;

  constructor(makeSlot: () => Slot, order: 'lifo' | 'fifo') {
    this.#shelf = new Shelf<Slot>(order);
    this.#book = openBook(makeSlot, this.#shelf, order);
    this.#keepsOneAtHand = order === 'lifo';
  }

  /** All slots, in and out. */
  get size(): number {
    return this.#slots.size;
  }

  get idle(): number {
    return this.#shelf.length + (this.#atHand === undefined ? 0 : 1);
  }

  /** All slots in the order in which they were added. */
  slots(): IterableIterator<Slot> {
    return this.#slots.values();
  }

  /** The idle slots, those used longest ago first. */
  idleSlots(): Slot[] {
    const slots = this.#shelf.coldestFirst();
    if (this.#atHand !== undefined) slots.push(this.#atHand);
    return slots;
  }

  /** The idle slot that `take` would take. */
  get next(): Slot | undefined {
    return this.#atHand ?? this.#shelf.next;
  }

  /** Takes the next idle slot out. */
  take(): Slot | undefined {
    const slot = this.#atHand;
    if (slot !== undefined) {
      this.#atHand = undefined;
      return slot;
    }
    return this.#shelf.length === 0 ? undefined : this.#book.acquire().value;
  }

  /** Takes this slot out, if it lies idle. */
  takeThis(slot: Slot): boolean {
    if (this.#atHand === slot) {
      this.#atHand = undefined;
      return true;
    }
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
    if (!this.#keepsOneAtHand) {
      this.#book.release(slot);
      return;
    }
    const other = this.#atHand;
    const isNext = other === undefined ? !this.#isColderThanShelf(slot) : slot.usedAt >= other.usedAt;
    if (!isNext) this.#book.release(slot);
    else {
      this.#atHand = slot;
      if (other !== undefined) this.#book.release(other);
    }
  }

  /** A slot that was out without being used goes back to where it was. */
  #isColderThanShelf(slot: Slot): boolean {
    const { next } = this.#shelf;
    return next !== undefined && next.usedAt > slot.usedAt;
  }

  /** Strikes a slot that is out from the book. */
  remove(slot: Slot): void {
    this.#slots.delete(slot);
    this.#book.destroy(slot);
  }
}
