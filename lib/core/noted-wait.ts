import type { Task, Contended } from './task.js';
import type { Outcome } from './waiter.js';

/** The outcome of a wait that is noted of a task as long as it lasts. */
export class NotedWait<V> implements Outcome<V> {
  readonly #outcome: Outcome<V>;
  readonly #stopWaiting: () => void;

  constructor(task: Task, pool: Contended, outcome: Outcome<V>) {
    this.#outcome = outcome;
    this.#stopWaiting = task.waitFor(pool);
  }

  resolve(value: V): void {
    this.#stopWaiting();
    this.#outcome.resolve(value);
  }

  reject(reason: unknown): void {
    this.#stopWaiting();
    this.#outcome.reject(reason);
  }
}
