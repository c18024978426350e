/** Who is served first when several wait. */
export type Priority = 'high' | 'normal' | 'low';

/** Something that waits; the line keeps its own links in it. */
export interface Waiting {
  readonly priority: Priority;
  /** When it began to wait, in milliseconds. */
  readonly since: number;
  next?: Waiting | undefined;
  previous?: Waiting | undefined;
}

/**
 * How much later than it came a waiter is taken to have come. Whoever seems to have come first is next: so `high` overtakes
 * whoever came less than two seconds before it, and nobody can be overtaken for longer than that. Nobody starves.
 */
const HANDICAP_MS: Readonly<Record<Priority, number>> = { high: 0, normal: 2_000, low: 4_000 };

/**
 * The callers who wait, first come first served inside a priority. A doubly linked list for each priority, so that one who gives up
 * in the middle of ten thousand leaves in constant time.
 */
export class WaitingLine<W extends Waiting> {
  readonly #lists: Readonly<Record<Priority, LinkedList<W>>> = { high: {}, normal: {}, low: {} };
  #length = 0;

  get length(): number {
    return this.#length;
  }

  join(waiter: W): void {
    const list = this.#lists[waiter.priority];
    waiter.previous = list.last;
    if (list.last === undefined) list.first = waiter;
    else list.last.next = waiter;
    list.last = waiter;
    this.#length += 1;
  }

  /** Only for one who stands in the line. */
  leave(waiter: W): void {
    const list = this.#lists[waiter.priority];
    const { previous, next } = waiter;
    if (previous === undefined) list.first = next as W | undefined;
    else previous.next = next;
    if (next === undefined) list.last = previous as W | undefined;
    else next.previous = previous;
    waiter.previous = waiter.next = undefined;
    this.#length -= 1;
  }

  /** Takes out whoever is next. */
  next(): W | undefined {
    if (this.#length === 0) return undefined;
    const { high, normal, low } = this.#lists;
    const waiter = earlier(earlier(high.first, normal.first), low.first);
    if (waiter !== undefined) this.leave(waiter);
    return waiter;
  }
}

interface LinkedList<W> {
  first?: W | undefined;
  last?: W | undefined;
}

function earlier<W extends Waiting>(one: W | undefined, other: W | undefined): W | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.since + HANDICAP_MS[one.priority] <= other.since + HANDICAP_MS[other.priority] ? one : other;
}
