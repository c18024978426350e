import { AsyncResource } from 'node:async_hooks';
import { creating, traced } from './channels.js';
import { PoolError } from './pool.errors.js';
import type { ResourceFactory } from './resource-factory.js';

interface Limits {
  readonly createTimeoutMs: number;
  readonly destroyTimeoutMs: number;
}

/**
 * A user's factory, made safe to call: every call has a deadline, a synchronous throw is an ordinary failure, and nothing runs in
 * the async context of the caller who happened to need it (a socket would keep that context's store alive for ever, and traces
 * would blame the wrong request).
 */
export class SafeFactory<T> {
  readonly canValidate: boolean;
  readonly canReset: boolean;
  readonly #pool: string;
  readonly #factory: ResourceFactory<T>;
  readonly #limits: Limits;
  readonly #preparations = new Set<AbortController>();
  readonly #root = new AsyncResource('nestjs-pool');

  constructor(pool: string, factory: ResourceFactory<T>, limits: Limits) {
    this.#pool = pool;
    this.#factory = factory;
    this.#limits = limits;
    this.canValidate = factory.validate !== undefined;
    this.canReset = factory.reset !== undefined;
  }

  /**
   * What arrives too late is destroyed, unless it `isKnown`.
   * @throws the factory's own error, or a PoolError when it took too long or gave nothing
   */
  create(isKnown: (resource: T) => boolean): Promise<T> {
    const create = () => this.#create(isKnown);
    return this.#root.runInAsyncScope(() =>
      creating.hasSubscribers ? traced(creating, { pool: this.#pool }, create) : create(),
    );
  }

  async #create(isKnown: (resource: T) => boolean): Promise<T> {
    let arriving: Promise<T> | undefined;
    try {
      const resource = await this.#prepare(
        'creating',
        (signal) => (arriving = Promise.resolve(this.#factory.create(signal))),
      );
      if (resource === undefined || resource === null)
        throw this.#failure(`create() gave ${String(resource)}`);
      return resource;
    } catch (error) {
      void this.#destroyOnArrival(arriving, isKnown);
      throw error;
    }
  }

  /** Answers at once where the factory does; never throws. Whatever is not `true` is a no. */
  validate(resource: T): boolean | Promise<boolean> {
    return this.#verdict('validating', true, () => this.#factory.validate?.(resource));
  }

  /** Answers at once where the factory does; never throws. Whatever is not `keep` is a no. */
  reset(resource: T): boolean | Promise<boolean> {
    return this.#verdict('resetting', 'keep', () => this.#factory.reset?.(resource));
  }

  /** Resolves with the error, if there was one. */
  async destroy(resource: T): Promise<unknown> {
    try {
      const { destroyTimeoutMs } = this.#limits;
      await this.#root.runInAsyncScope(() =>
        this.#bounded('closing', destroyTimeoutMs, new AbortController(), () =>
          this.#factory.destroy(resource),
        ),
      );
      return undefined;
    } catch (error) {
      return error ?? this.#failure('destroy() failed without an error');
    }
  }

  /** Resolves when that is over, with true, or the time is up, with false; never rejects. Nothing where there is nothing to wait for. */
  interrupt(resource: T, reason: unknown): Promise<boolean> | undefined {
    try {
      const ending = this.#root.runInAsyncScope(() => this.#factory.interrupt?.(resource, reason));
      if (!isThenable(ending)) return undefined;
      const { destroyTimeoutMs } = this.#limits;
      const over = Promise.resolve(ending).catch(() => undefined);
      return this.#bounded('interrupting', destroyTimeoutMs, new AbortController(), () => over).then(
        () => true,
        () => false,
      );
    } catch {
      return undefined;
    }
  }

  /** @throws the factory's own error; the resource is closed then, because nobody would hear when it fails */
  async watch(resource: T, broken: (cause: unknown) => void): Promise<void> {
    try {
      this.#root.runInAsyncScope(() => this.#factory.watch?.(resource, broken));
    } catch (error) {
      await this.destroy(resource);
      throw error;
    }
  }

  /** Gives up on every resource that is being created, validated or reset. */
  abortPreparations(reason: unknown): void {
    for (const controller of this.#preparations) controller.abort(reason);
  }

  async #destroyOnArrival(
    arriving: Promise<T> | undefined,
    isKnown: (resource: T) => boolean,
  ): Promise<void> {
    const late = await arriving?.catch(() => undefined);
    if (late !== undefined && late !== null && !isKnown(late)) await this.destroy(late);
  }

  #verdict(what: string, yes: unknown, ask: () => unknown): boolean | Promise<boolean> {
    try {
      const answer = this.#root.runInAsyncScope(ask);
      if (!isThenable(answer)) return answer === yes;
      return this.#prepare(what, () => answer).then(
        (settled) => settled === yes,
        () => false,
      );
    } catch {
      return false;
    }
  }

  async #prepare<R>(what: string, work: (signal: AbortSignal) => R | PromiseLike<R>): Promise<R> {
    const controller = new AbortController();
    this.#preparations.add(controller);
    try {
      return await this.#bounded(what, this.#limits.createTimeoutMs, controller, work);
    } finally {
      this.#preparations.delete(controller);
    }
  }

  /** Runs `work` until it settles, its time is up, or `controller` is aborted. */
  async #bounded<R>(
    what: string,
    ms: number,
    controller: AbortController,
    work: (signal: AbortSignal) => R | PromiseLike<R>,
  ): Promise<R> {
    const { signal } = controller;
    const timer = setTimeout(
      () => controller.abort(this.#failure(`${what} a resource took longer than ${ms} ms`)),
      ms,
    );
    try {
      return await new Promise<R>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        // Not resolve(work): that would tie this promise to the work, deaf to the deadline.
        void Promise.resolve(work(signal)).then(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(message: string): PoolError {
    return new PoolError('ERR_POOL_FACTORY', this.#pool, message);
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
