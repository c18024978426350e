import type { Observable, Subscription } from 'rxjs';

/** How many messages were lost before this one: `unknown` after the connection was lost. */
export type Lost = number | 'unknown';

/** A message that can tell of those that are missing before it. */
export interface MayTellOfLoss {
  readonly lost?: Lost;
}

interface Taker<M> {
  resolve(result: IteratorResult<M, undefined>): void;
  reject(reason: unknown): void;
}

const DONE = { done: true, value: undefined } as const;

/**
 * Stands between a source that pushes and a loop that takes its time. Holds so many messages and then drops the oldest, and tells how
 * many on the next that is taken. Subscribes when the first is asked for, and unsubscribes when the loop is left.
 */
export class MessageBuffer<M extends MayTellOfLoss> implements AsyncIterableIterator<M, undefined> {
  readonly #source: Observable<M>;
  readonly #size: number;
  readonly #messages: M[] = [];
  readonly #takers: Taker<M>[] = [];
  #subscription: Subscription | undefined;
  #lost: Lost = 0;
  #end: { readonly error?: Error } | undefined;

  constructor(source: Observable<M>, size: number) {
    this.#source = source;
    this.#size = size;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<M, undefined>> {
    this.#subscribe();
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve({ done: false, value: this.#withLoss(message) });
    if (this.#end !== undefined) return this.#tellEnd();
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<M, undefined>> {
    this.#subscription?.unsubscribe();
    this.#messages.length = 0;
    this.#finish({});
    return Promise.resolve(DONE);
  }

  #subscribe(): void {
    if (this.#subscription !== undefined || this.#end !== undefined) return;
    this.#subscription = this.#source.subscribe({
      next: (message) => this.#take(message),
      error: (error: Error) => this.#finish({ error }),
      complete: () => this.#finish({}),
    });
  }

  #take(message: M): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) return taker.resolve({ done: false, value: message });
    if (this.#messages.length >= this.#size) this.#drop(this.#messages.shift()!);
    this.#messages.push(message);
  }

  #drop(message: M): void {
    this.#lost = sum(sum(this.#lost, message.lost), 1);
  }

  #withLoss(message: M): M {
    if (this.#lost === 0) return message;
    const lost = sum(this.#lost, message.lost);
    this.#lost = 0;
    return { ...message, lost };
  }

  #finish(end: { readonly error?: Error }): void {
    this.#end ??= end;
    for (const taker of this.#takers.splice(0)) {
      this.#tellEnd().then(
        (done) => taker.resolve(done),
        (error) => taker.reject(error),
      );
    }
  }

  /** An error is told once. */
  #tellEnd(): Promise<IteratorResult<M, undefined>> {
    const { error } = this.#end ?? {};
    this.#end = {};
    return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
  }
}

function sum(one: Lost, other: Lost = 0): Lost {
  return one === 'unknown' || other === 'unknown' ? 'unknown' : one + other;
}
