import { PoolTimeoutError } from './core/pool.errors.js';
import type { PoolEvent } from './core/pool.events.js';
import { react, type Reactions } from './core/reactions.js';

/** What is over sooner was a hiccup: a server that restarts its network, a failover, one connection of many that failed. */
const HICCUP_MS = 1_000;

/** Who is told of outages. */
export interface OutageListener {
  began(cause: unknown): void;
  ended(durationMs: number): void;
}

/**
 * Tells outages from hiccups, and each of them once. An outage is a second without success: shared connections that stay lost, the
 * breaker, or failures of whatever kind a second apart. It lasts from the first failure to the next success.
 */
export class OutageWatch {
  readonly #listener: OutageListener;
  /** When the first failure was after which nothing succeeded. */
  #since: number | undefined;
  #cause: unknown;
  #isTold = false;
  #breakerIsOpen = false;
  #hasEnded = false;
  #timer: NodeJS.Timeout | undefined;

  readonly #reactions: Reactions = {
    'create-failed': ({ error }) => this.#failed(error),
    'timed-out': ({ error }) => isForWantOfResources(error) && this.#failed(error.cause ?? error),
    disconnected: ({ cause }) => {
      this.#failed(cause);
      this.#tellIfItLasts();
    },
    'breaker-opened': ({ cause }) => {
      this.#breakerIsOpen = true;
      this.#failed(cause);
      this.#tell();
    },
    'breaker-closed': () => {
      this.#breakerIsOpen = false;
      this.#succeeded();
    },
    created: () => this.#breakerIsOpen || this.#succeeded(), // while it is open, what was created broke before anybody had it
    connected: () => this.#succeeded(),
  };

  constructor(listener: OutageListener) {
    this.#listener = listener;
  }

  hear(event: PoolEvent): void {
    if (!this.#hasEnded) react(this.#reactions, event);
  }

  /** Somebody else has told of the trouble that there is now. */
  toldAlready(): void {
    this.#since ??= performance.now();
    this.#isTold = true;
  }

  /** Whatever happens after this is no outage. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  #failed(cause: unknown): void {
    this.#cause = cause;
    this.#since ??= performance.now();
    if (performance.now() - this.#since >= HICCUP_MS) this.#tell();
  }

  #tellIfItLasts(): void {
    if (this.#isTold || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#tell(), HICCUP_MS).unref();
  }

  #tell(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#listener.began(this.#cause);
  }

  #succeeded(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const since = this.#since;
    this.#since = undefined;
    if (!this.#isTold || since === undefined) return;
    this.#isTold = false;
    this.#listener.ended(performance.now() - since);
  }
}

const isForWantOfResources = (error: unknown): error is PoolTimeoutError =>
  error instanceof PoolTimeoutError && (error.reason === 'create-failing' || error.reason === 'create-slow');
