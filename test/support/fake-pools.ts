import { expect, it } from '@jest/globals';
import genericPool, { type Factory, type Options as GenericPoolOptions } from 'generic-pool';
import { config } from 'rxjs';
import type { PoolOptions } from '../../lib/core/pool.options.js';
import { ResourcePool } from '../../lib/core/resource-pool.js';
import type { AcquireOptions } from '../../lib/core/waiter.js';
import { FakeFactory, type FakeResource } from './fake-factory.js';
import { advance } from './fake-time.js';

/** What a holder has in hand. */
export interface Held {
  readonly resource: FakeResource;
  release(): Promise<void>;
  destroy(): Promise<void>;
}

/** As much of a pool as a behaviour needs to be checked on ours and on bare generic-pool alike. */
export interface PoolUnderTest {
  acquire(options?: AcquireOptions): Promise<Held>;
  use(task: (held: Held) => unknown): Promise<unknown>;
  /** Resolves when `min` resources are there. */
  start(timeoutMs: number): Promise<void>;
  /** Closes whatever lies idle. */
  closeIdle(): Promise<void>;
  shutDown(timeoutMs: number): Promise<void>;
  onCreateError(listener: () => void): void;
}

/** Its own typings leave one out. */
type TheirOptions = GenericPoolOptions & { destroyTimeoutMillis?: number };

/** A behaviour that a pool should have, and the options under which each of the two has its best chance. */
interface Behaviour {
  readonly ours?: PoolOptions;
  readonly theirs?: TheirOptions;
  readonly validates?: boolean;
  check(given: Given): void | Promise<void>;
}

/** The pool is made when it is first asked for, so that the factory can be told before how to behave. */
export interface Given {
  readonly pool: PoolUnderTest;
  readonly factory: FakeFactory;
}

/** Checks a behaviour on our pool, and that the very same check fails on bare generic-pool. */
export function trap(name: string, behaviour: Behaviour): void {
  const { ours, theirs, validates } = behaviour;
  const given = (open: (factory: FakeFactory) => PoolUnderTest): Given => {
    const factory = new FakeFactory({ validate: validates ?? false });
    let pool: PoolUnderTest | undefined;
    return {
      factory,
      get pool() {
        return (pool ??= open(factory));
      },
    };
  };

  it(name, () => behaviour.check(given((factory) => new OurPool(factory, ours))));

  it(`${name} (bare generic-pool does not)`, async () => {
    const outcome = async () => behaviour.check(given((factory) => new BareGenericPool(factory, theirs)));
    await expect(outcome()).rejects.toThrow(/expect\(/);
  });
}

class OurPool implements PoolUnderTest {
  readonly #factory: FakeFactory;
  readonly #pool: ResourcePool<FakeResource>;

  constructor(factory: FakeFactory, options?: PoolOptions) {
    this.#factory = factory;
    this.#pool = new ResourcePool('p', factory, options);
  }

  acquire(options?: AcquireOptions): Promise<Held> {
    return this.#pool.acquire(options);
  }

  use(task: (held: Held) => unknown): Promise<unknown> {
    return this.#pool.use((_, lease) => task(lease));
  }

  start(timeoutMs: number): Promise<void> {
    return this.#pool.start({ timeoutMs });
  }

  /** There is no such command: an idle resource is closed when it breaks. */
  async closeIdle(): Promise<void> {
    for (const resource of this.#factory.created) this.#factory.lose(resource);
    await advance(0);
  }

  async shutDown(timeoutMs: number): Promise<void> {
    await this.#pool.drain({ timeoutMs });
  }

  onCreateError(listener: () => void): void {
    config.onUnhandledError = () => undefined;
    this.#pool.events$.subscribe(({ type }) => type === 'create-failed' && listener());
  }
}

const PRIORITIES = { high: 0, normal: 1, low: 2 };

class BareGenericPool implements PoolUnderTest {
  readonly #pool: genericPool.Pool<FakeResource>;

  constructor(factory: FakeFactory, options: TheirOptions = {}) {
    const { create, ...others } = factory;
    this.#pool = genericPool.createPool(
      { ...others, create: () => create(new AbortController().signal) } as Factory<FakeResource>,
      { ...options, Promise: HandledPromise } as GenericPoolOptions,
    );
  }

  /** Neither a signal nor a deadline of one's own. */
  acquire({ priority = 'normal' }: AcquireOptions = {}): Promise<Held> {
    return Promise.resolve(this.#pool.acquire(PRIORITIES[priority])).then((resource) => this.#hold(resource));
  }

  use(task: (held: Held) => unknown): Promise<unknown> {
    return Promise.resolve(this.#pool.use((resource) => task(this.#hold(resource)) as Promise<unknown>));
  }

  async start(): Promise<void> {
    await this.#pool.ready();
  }

  async closeIdle(): Promise<void> {
    await this.#pool.clear();
  }

  /** As its documentation has it. */
  async shutDown(): Promise<void> {
    await this.#pool.drain();
    await this.#pool.clear();
  }

  onCreateError(listener: () => void): void {
    this.#pool.on('factoryCreateError', listener);
  }

  #hold(resource: FakeResource): Held {
    return {
      resource,
      release: async () => this.#pool.release(resource),
      destroy: async () => this.#pool.destroy(resource),
    };
  }
}

/**
 * Bare generic-pool leaves rejections behind that nobody handles, and they would end the test run before the check can fail.
 * Every promise it makes (its `Promise` option) has therefore one handler from the beginning.
 */
class HandledPromise<T> extends Promise<T> {
  static #attaching = false;

  constructor(executor: ConstructorParameters<typeof Promise<T>>[0]) {
    super(executor);
    if (HandledPromise.#attaching) return;
    HandledPromise.#attaching = true;
    void super.then(undefined, () => undefined);
    HandledPromise.#attaching = false;
  }
}
