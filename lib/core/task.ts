import { AsyncLocalStorage } from 'node:async_hooks';
import { describeHolder, type Held, type LeaseHolder } from './lease-holder.js';

/** A pool, as far as waiting for it goes. */
export interface Contended {
  readonly name: string;
  /** All that it may ever have is leased. */
  readonly isExhausted: boolean;
  /** What is known of each lease: the task that has it, if it is one that can be told from others. */
  tasks(): Iterable<Task | undefined>;
}

const tasks = new AsyncLocalStorage<Task>();
let running = 0;

/**
 * A task that `use()` runs: what it holds, inside which other task, and what it waits for. Known to whatever the task calls, by its
 * async context, so that a wait that could never end is found before it begins.
 *
 * Only tasks that took a pool's last resource are told apart: where all who hold a pool's resources wait in a circle, the one who came
 * last is among them. So nothing is paid for while pools have room. An async context costs every promise of the process something
 * before Node 24, so it is switched off while there is no such task.
 */
export class Task {
  /** The task inside which this is called, if there is one. */
  static get current(): Task | undefined {
    return running === 0 ? undefined : tasks.getStore();
  }

  /** Of this pool it holds something. */
  readonly pool: Contended;
  readonly #held: Held;
  #outer: Task | undefined;
  #waitsFor: Contended[] | undefined;
  #isOver = false;

  constructor(pool: Contended, held: Held) {
    this.pool = pool;
    this.#held = held;
    this.#outer = Task.#living(Task.current);
    running += 1;
  }

  run<R>(work: () => R | Promise<R>): R | Promise<R> {
    return tasks.run(this, work);
  }

  /** It holds nothing any more. To be called once. */
  end(): void {
    this.#isOver = true;
    this.#outer = Task.#living(this.#outer); // a job that begins the next one would keep all that were before it
    running -= 1;
    if (running === 0) tasks.disable();
  }

  /** Who it is, as it is told of. */
  describe(): LeaseHolder {
    return describeHolder(this.#held, performance.now());
  }

  /** Notes that this task, and those it runs in, wait for `pool`; what is returned ends that. */
  waitFor(pool: Contended): () => void {
    const waiting = [...this.#chain()];
    for (const task of waiting) (task.#waitsFor ??= []).push(pool);
    return () => {
      for (const task of waiting) task.#waitsFor?.splice(task.#waitsFor.indexOf(pool), 1);
    };
  }

  /** This task, or one it runs in, if it holds what keeps `pool` from ever serving it. Call it while the task is noted to wait. */
  deadlockWith(pool: Contended): Task | undefined {
    if (!pool.isExhausted) return undefined;
    const holders = [...this.#chain()].filter((task) => !task.#isOver);
    return (
      holders.find((task) => task.pool === pool) ?? (Task.#isStuck(pool, new Set()) ? holders[0] : undefined)
    );
  }

  /** Everybody who has something of the pool waits for a pool that is stuck as well. */
  static #isStuck(pool: Contended, met: Set<Contended>): boolean {
    if (met.has(pool)) return true;
    met.add(pool);
    if (!pool.isExhausted) return false;
    const waitsForEver = (task: Task | undefined) =>
      task !== undefined && (task.#waitsFor ?? []).some((other) => Task.#isStuck(other, met));
    return [...pool.tasks()].every(waitsForEver);
  }

  /** The first of this task and those it runs in that is not over. */
  static #living(task: Task | undefined): Task | undefined {
    let living = task;
    while (living !== undefined && living.#isOver) living = living.#outer;
    return living;
  }

  /** This task, and those it runs in. */
  *#chain(): Iterable<Task> {
    yield this;
    for (let task = this.#outer; task !== undefined; task = task.#outer) yield task;
  }
}
