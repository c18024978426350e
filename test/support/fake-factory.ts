import type { ResourceFactory } from '../../lib/core/resource-factory.js';

/** What a {@link FakeFactory} makes. */
export interface FakeResource {
  readonly id: number;
}

/**
 * A resource factory under the test's control: each of its functions works, fails, hangs and takes its time as told, and it counts
 * what exists outside the pool. All time is that of the (fake) timers.
 *
 * @example
 * const factory = new FakeFactory({ validate: true });
 * factory.creates.next(3, 'rejects', new Error('ECONNREFUSED'));
 * factory.destroys.ms = 20;
 * factory.validates.answer = () => false;
 */
export class FakeFactory implements ResourceFactory<FakeResource> {
  readonly creates = new Conduct('create');
  readonly destroys = new Conduct('destroy');
  readonly validates = new Verdict('validate', true);
  readonly resets = new Verdict('reset', 'keep');
  /** A well-behaved factory stops opening when it is told to; one that does not may arrive late. */
  heedsAbort = true;

  /** Everything that arrived, and everything that was given to `destroy`, in order. */
  readonly created: FakeResource[] = [];
  readonly destroyed: FakeResource[] = [];
  /** How many are being opened and closed at this moment. */
  opening = 0;
  closing = 0;
  /** The most that ever existed at once, those being opened or closed included. */
  peak = 0;

  validate?: (resource: FakeResource) => boolean | Promise<boolean>;
  reset?: (resource: FakeResource) => 'keep' | 'discard' | Promise<'keep' | 'discard'>;

  readonly #live = new Set<FakeResource>();
  readonly #watchers = new Map<FakeResource, (cause: unknown) => void>();

  constructor(abilities: { readonly validate?: boolean; readonly reset?: boolean } = {}) {
    if (abilities.validate) this.validate = (resource) => this.validates.give(resource) as boolean;
    if (abilities.reset) this.reset = (resource) => this.resets.give(resource) as 'keep';
  }

  /** What `create` gives; a test may have it give something else. */
  make: () => FakeResource = () => ({ id: this.created.length + 1 });

  get live(): number {
    return this.#live.size;
  }

  /** What exists outside the pool at this moment. */
  get physical(): number {
    return this.opening + this.live + this.closing;
  }

  create = (signal: AbortSignal): Promise<FakeResource> => {
    this.opening += 1;
    this.peak = Math.max(this.peak, this.physical);
    const settled = () => (this.opening -= 1);
    return this.creates.perform(() => this.#arrive(), settled, this.heedsAbort ? signal : undefined);
  };

  destroy = (resource: FakeResource): Promise<void> => {
    this.#live.delete(resource);
    this.destroyed.push(resource);
    this.closing += 1;
    const settled = () => (this.closing -= 1);
    return this.destroys.perform(() => undefined, settled);
  };

  watch = (resource: FakeResource, broken: (cause: unknown) => void): void => {
    this.#watchers.set(resource, broken);
  };

  /** The resource fails by itself, as when its socket closes. */
  lose(resource: FakeResource, cause: unknown = new Error('socket closed')): void {
    this.#watchers.get(resource)?.(cause);
  }

  #arrive(): FakeResource {
    const resource = this.make();
    this.#live.add(resource);
    this.created.push(resource);
    return resource;
  }
}

/** `throws` throws synchronously; the others concern the promise. */
export type Manner = 'works' | 'hangs' | 'rejects' | 'throws';

interface Behaviour {
  readonly manner: Manner;
  /** What it fails with, if it does. */
  readonly error: Error;
}

/** No test needs more calls; a pool that calls in a loop without a pause would never let its test end. */
const PATIENCE = 1_000;

/** How one function of the factory behaves. */
export class Conduct implements Behaviour {
  manner: Manner = 'works';
  error: Error;
  /** How long the function takes; 0 settles its promise at once. */
  ms = 0;
  calls = 0;
  protected readonly exceptions: Behaviour[] = [];

  constructor(what: string) {
    this.error = new Error(`${what} failed`);
  }

  /** The next calls behave differently. */
  next(times: number, manner: Manner, error = this.error): void {
    for (let each = 0; each < times; each += 1) this.exceptions.push({ manner, error });
  }

  /** Calls `settled` when the outcome is there, and before anybody hears of it. */
  perform<R>(answer: () => R, settled?: () => void, signal?: AbortSignal): Promise<R> {
    const { manner, error } = this.today();
    if (manner === 'throws') {
      settled?.();
      throw error;
    }
    return new Promise<R>((resolve, reject) => {
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        settled?.();
        outcome();
      };
      const abort = () => settle(() => reject(signal?.reason as Error));
      const finish = () => settle(() => (manner === 'rejects' ? reject(error) : resolve(answer())));
      let timer: NodeJS.Timeout | undefined;
      signal?.addEventListener('abort', abort, { once: true });
      if (manner === 'hangs') return;
      if (this.ms > 0) timer = setTimeout(finish, this.ms);
      else finish();
    });
  }

  /** Counts a call, and says how this one goes. */
  protected today(): Behaviour {
    this.calls += 1;
    if (this.calls > PATIENCE) return { manner: 'hangs', error: this.error };
    return this.exceptions.shift() ?? this;
  }
}

/** How a function behaves that is asked for a verdict. One that takes no time and does not fail answers on the spot. */
export class Verdict extends Conduct {
  answer: (resource: FakeResource) => unknown;

  constructor(what: string, usual: unknown) {
    super(what);
    this.answer = () => usual;
  }

  give(resource: FakeResource): unknown {
    const onTheSpot = this.ms === 0 && this.manner === 'works' && this.exceptions.length === 0;
    if (!onTheSpot) return this.perform(() => this.answer(resource));
    this.calls += 1;
    return this.answer(resource);
  }
}
