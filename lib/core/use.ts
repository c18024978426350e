import { heedSignal } from './heed-signal.js';
import { breakageOf, type Lease } from './lease.js';
import type { Lending } from './lending.js';

/** What a caller wants to do with a resource. */
export type UseTask<T, R> = (resource: T, lease: Lease<T>) => R | Promise<R>;

/** The two ends of the promise that the caller of `use()` was given. */
interface Caller<R> {
  readonly resolve: (value: R) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * One call of `use()` that has its lease: runs the task, gives the lease back whatever happens, and tells the caller.
 * Written without `async`, since each promise and each frame counts where every command is a call.
 */
export class Use<T, R> {
  readonly #lending: Lending<T>;
  readonly #lease: Lease<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #caller: Caller<R>;

  constructor(lending: Lending<T>, lease: Lease<T>, signal: AbortSignal | undefined, caller: Caller<R>) {
    this.#lending = lending;
    this.#lease = lease;
    this.#signal = signal;
    this.#caller = caller;
  }

  /** `watch` runs the task so that it is known by whatever it calls. */
  run(task: UseTask<T, R>, watch: boolean): void {
    const lease = this.#lease;
    const work = () => task(lease.resource, lease);
    try {
      this.#signal?.throwIfAborted();
      const running = watch ? this.#lending.run(lease, work) : work();
      Promise.resolve(running).then(
        (value) => this.#succeeded(value),
        (error: unknown) => this.#failed(error),
      );
      this.#heedSignal();
    } catch (error) {
      this.#failed(error);
    }
  }

  #succeeded(value: R): void {
    this.#end();
    this.#caller.resolve(value);
  }

  #failed(error: unknown): void {
    const reason = breakageOf(this.#lease) ?? error;
    this.#end();
    this.#caller.reject(reason);
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this);
    void this.#lease.release(); // whether it is reset or closed now is not the caller's business
  }

  #heedSignal(): void {
    if (this.#signal?.aborted === true) this.handleEvent();
    else if (this.#signal !== undefined) heedSignal(this.#signal, this);
  }

  /**
   * @internal The signal has aborted. The task has until the end of this turn of the event loop, or of the one in which its resource
   * stops waiting.
   */
  handleEvent(): void {
    const grantOneTurn = () => setImmediate(() => this.#takeAway());
    const interrupted = this.#lending.interrupt(this.#lease, this.#signal?.reason);
    if (interrupted === undefined) grantOneTurn();
    else void interrupted.then(grantOneTurn);
  }

  /** Does nothing when the task has ended. */
  #takeAway(): void {
    void this.#lease.destroy('aborted');
    this.#caller.reject(this.#signal?.reason);
  }
}
