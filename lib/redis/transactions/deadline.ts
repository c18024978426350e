import { heedSignal } from '../../core/heed-signal.js';
import type { AcquireOptions } from '../../core/waiter.js';

/** A caller's signal and limit of time as one signal, for work that waits for more than one thing. To be ended with the work. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #timeoutMs: number;
  readonly #late: () => Error;
  readonly #startedAt = performance.now();
  readonly #abort = () => this.#controller.abort(this.#outer?.reason);
  #timer: NodeJS.Timeout | undefined;

  /** `late` makes the signal's reason when the time is up. Without `timeoutMs`, or with 0, it never is. */
  constructor({ signal, timeoutMs = 0 }: AcquireOptions, late: () => Error) {
    this.#outer = signal;
    this.#timeoutMs = timeoutMs;
    this.#late = late;
    if (this.#outer !== undefined) heedSignal(this.#outer, this.#abort);
    if (this.#outer?.aborted === true) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get leftMs(): number {
    if (this.#timeoutMs === 0) return Infinity;
    return Math.max(0, this.#timeoutMs - (performance.now() - this.#startedAt));
  }

  /** From here on the signal aborts when the time is up; before, whoever is waited for has the time-out in hand, and knows more. */
  arm(): void {
    if (this.#timer !== undefined || this.#timeoutMs === 0) return;
    this.#timer = setTimeout(() => this.#controller.abort(this.#late()), this.leftMs);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#abort);
  }
}
