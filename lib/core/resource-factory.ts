/**
 * Tells a pool how to open and close what it keeps. The pool bounds every call with a deadline, survives every way of failing
 * (a rejection, a synchronous throw, a promise that never settles) and never calls two of them at once for one resource.
 *
 * @publicApi
 * @example
 * const factory: ResourceFactory<Client> = {
 *   create: async (signal) => connect({ host: 'db', signal }),
 *   destroy: async (client) => client.end(),
 *   validate: (client) => client.connected,
 * };
 */
export interface ResourceFactory<T> {
  /**
   * Opens one resource. `signal` aborts when `createTimeoutMs` has passed or the pool is being closed; a resource that arrives
   * after that is destroyed at once. It runs outside the async context of the caller who happened to need it.
   */
  create(signal: AbortSignal): Promise<T>;

  /** Closes one resource. The pool waits `destroyTimeoutMs` for it and then forgets the resource. */
  destroy(resource: T): Promise<void>;

  /** Asked before a resource that lay idle for `validateAfterIdleMs` is lent. Anything but `true` destroys it. */
  validate?(resource: T): boolean | Promise<boolean>;

  /** Undoes what the last holder changed, before anybody else gets the resource. Anything but `'keep'` destroys it. */
  reset?(resource: T): 'keep' | 'discard' | Promise<'keep' | 'discard'>;

  /**
   * Called once after `create`: call `broken` as soon as the resource fails by itself (its socket closed, its process died).
   * Idle, it is dropped at once; leased, its lease is broken and says so.
   */
  watch?(resource: T, broken: (cause: unknown) => void): void;

  /**
   * Called when the signal of `use()` aborts while the task runs: ends what the resource is waiting for on its holder's behalf, harming
   * neither the resource nor what it waits for. What waited fails with `reason`, unless it had succeeded already. Resolves when nothing
   * waits any more; the pool gives it `destroyTimeoutMs`, and nobody else gets the resource before. A task that still goes on after that
   * loses its resource.
   */
  interrupt?(resource: T, reason: unknown): void | Promise<void>;
}

const REQUIRED = ['create', 'destroy'] as const;
const OPTIONAL = ['validate', 'reset', 'watch', 'interrupt'] as const;

/** Every reason why `factory` cannot work, a sentence each. */
export function factoryProblems(factory: unknown): string[] {
  if (typeof factory !== 'object' || factory === null) {
    return ['factory must be a ResourceFactory: an object with create() and destroy()'];
  }
  const methods = factory as Record<string, unknown>;
  const missing = REQUIRED.filter((name) => typeof methods[name] !== 'function');
  const wrong = OPTIONAL.filter((name) => methods[name] !== undefined && typeof methods[name] !== 'function');
  return [...missing, ...wrong].map((name) => `factory.${name} must be a function`);
}
