import { Observable, Subscriber, type Observer, type Subscription } from 'rxjs';
import { wordsOf } from './words-of.js';

type Listener<T> = Partial<Observer<T>> | ((value: T) => void) | null;

/**
 * What a source tells, to listeners that cannot hurt anybody. rxjs throws the error of a listener from a timer, where it ends the
 * process; here it becomes a warning of the process, and the listener goes on listening. So does what an async listener rejects with.
 * Behind an operator it is rxjs' again.
 */
export class IsolatedEvents<T> extends Observable<T> {
  constructor(source: Observable<T>) {
    super((subscriber) => source.subscribe(subscriber));
  }

  override subscribe(
    listener?: Listener<T>,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (listener instanceof Subscriber) return super.subscribe(listener);
    const observer: Partial<Observer<T>> =
      typeof listener === 'function'
        ? { next: listener, ...(error && { error }), ...(complete && { complete }) }
        : (listener ?? {});
    return super.subscribe({
      next: (value) => harmlessly(() => observer.next?.(value)),
      error: (reason) => observer.error?.(reason),
      complete: () => harmlessly(() => observer.complete?.()),
    });
  }
}

function harmlessly(listen: () => unknown): void {
  try {
    const listening = listen();
    if (listening instanceof Promise) listening.catch(warnOf);
  } catch (error) {
    warnOf(error);
  }
}

function warnOf(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : wordsOf(error), { code: 'POOL_LISTENER_FAILED' });
}
