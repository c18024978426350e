/**
 * Where a pool under test has its resources from: a factory of which each function works, fails, hangs and takes its time as told,
 * and which counts what exists outside the pool.
 */
export class Source {
  creates = new Conduct('create');
  destroys = new Conduct('destroy');
  validates = new Conduct('validate', (resource) => resource.alive);
  resets = new Conduct('reset');
  /** Everything that arrived, and everything that was given to `destroy`, in order. */
  created = [];
  destroyed = [];
  /** The most that ever existed at once, those being opened or closed included. */
  peak = 0;

  #live = new Set();
  #watchers = new Map();
  #busy = 0;

  /** A check may have it make something else. */
  make = () => ({ id: this.created.length + 1, alive: true, dirty: false });

  /** What exists and was not given to `destroy`. */
  get live() {
    return this.#live.size;
  }

  /** Of these, what has not failed by itself. */
  get healthy() {
    return [...this.#live].filter(({ alive }) => alive).length;
  }

  create = () => {
    const done = this.#during();
    return this.creates.perform(() => {
      done();
      const resource = this.make();
      if (resource !== undefined) this.#live.add(resource);
      this.created.push(resource);
      return resource;
    }, done);
  };

  destroy = (resource) => {
    this.#live.delete(resource);
    this.destroyed.push(resource);
    const done = this.#during();
    return this.destroys.perform(done, done);
  };

  validate = (resource) => this.validates.perform(() => this.validates.answer(resource));

  reset = (resource) =>
    this.resets.perform(() => {
      resource.dirty = false;
    });

  /** For pools that can be told. */
  watch = (resource, broken) => this.#watchers.set(resource, broken);

  /** The resource fails by itself, as when its socket closes. */
  lose(resource) {
    resource.alive = false;
    this.#watchers.get(resource)?.(new Error('socket closed'));
  }

  /** Whether whoever holds it can work with it. */
  works(resource) {
    return Promise.resolve(this.#live.has(resource) && resource.alive);
  }

  /** Whether `error` tells, in its words or by its cause, why nothing could be created. */
  explains(error) {
    return chainOf(error).some((each) => each.message.includes(this.creates.error.message));
  }

  #during() {
    this.#busy += 1;
    this.peak = Math.max(this.peak, this.#busy + this.#live.size);
    let over = false;
    return () => {
      if (!over) this.#busy -= 1;
      over = true;
    };
  }
}

/** An error and its causes. */
export function chainOf(error) {
  return error instanceof Error ? [error, ...chainOf(error.cause)] : [];
}

/**
 * How one function behaves. Its `manner` is `works`, `rejects`, `throws` (synchronously) or `hangs`; `ms` is how long it takes, where
 * 0 settles its promise at once.
 */
export class Conduct {
  manner = 'works';
  ms = 0;
  calls = 0;
  #exceptions = [];

  constructor(what, answer = () => undefined) {
    this.error = new Error(`${what} failed on purpose`);
    this.answer = answer;
  }

  /** The next calls behave differently. */
  next(times, exception) {
    for (let each = 0; each < times; each += 1) this.#exceptions.push(exception);
  }

  /** Counts a call and says how this one goes. */
  take() {
    this.calls += 1;
    return { manner: this.manner, ms: this.ms, ...this.#exceptions.shift() };
  }

  perform(answer, failed = () => undefined) {
    const { manner, ms } = this.take();
    if (manner === 'throws') {
      failed();
      throw this.error;
    }
    return new Promise((resolve, reject) => {
      const settle = () => {
        if (manner === 'works') return resolve(answer());
        failed();
        reject(this.error);
      };
      if (manner === 'hangs') return;
      if (ms > 0) setTimeout(settle, ms);
      else settle();
    });
  }
}
