import type { EventEmitter } from 'node:events';

/** `once()` wraps a listener, and hangs the original on the wrapper. */
type Listener = ((...args: unknown[]) => void) & { listener?: Listener };
type Added = readonly [event: string | symbol, listener: Listener];

/** The listeners that somebody adds to an emitter from now on. Costs nothing while nobody does. */
export class AddedListeners {
  readonly #emitter: EventEmitter;
  readonly #added: Added[] = [];
  #hasLostOthers = false;

  constructor(emitter: EventEmitter) {
    this.#emitter = emitter;
    emitter.on('removeListener', (...removed: Added) => this.#removed(removed));
    emitter.on('newListener', (...added: Added) => this.#added.push(added));
  }

  /** Removes them. False when some that were there before are gone. */
  remove(): boolean {
    for (const [event, listener] of [...this.#added]) this.#emitter.removeListener(event, listener);
    return !this.#hasLostOthers;
  }

  #removed([event, listener]: Added): void {
    const original = listener.listener ?? listener; // what is removed is now the one, now the other
    const at = this.#added.findIndex((added) => added[0] === event && added[1] === original);
    if (at < 0) this.#hasLostOthers = true;
    else this.#added.splice(at, 1);
  }
}
