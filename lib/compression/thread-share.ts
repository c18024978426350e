/** What libuv has where `UV_THREADPOOL_SIZE` is not set. */
const DEFAULT_THREADS = 4;
const MOST_THREADS = 1_024;

/** A pool that may work in so many threads at once. */
export interface ThreadUser {
  readonly name: string;
  readonly max: number;
}

/** The threads of libuv, in which zlib works: fs, dns.lookup and crypto wait for the same few. */
export class ThreadShare {
  readonly #threads: number;
  readonly #users = new Set<ThreadUser>();
  #hasWarned = false;

  constructor(threads = threadsOf(process.env.UV_THREADPOOL_SIZE)) {
    this.#threads = threads;
  }

  /** Counts a pool in. Answers with a warning when all pools together may take every thread, but only the first time. */
  join(user: ThreadUser): string | undefined {
    this.#users.add(user);
    const contexts = [...this.#users].reduce((sum, { max }) => sum + max, 0);
    if (this.#hasWarned || contexts < this.#threads) return undefined;
    this.#hasWarned = true;
    const names = [...this.#users].map(({ name }) => `"${name}"`).join(', ');
    return (
      `compression (${names}: max ${contexts} together) may take all ${this.#threads} threads of libuv, and then fs, dns.lookup() ` +
      `and crypto wait for it: start Node with UV_THREADPOOL_SIZE=${contexts + DEFAULT_THREADS}, or lower max`
    );
  }

  leave(user: ThreadUser): void {
    this.#users.delete(user);
  }
}

/** `UV_THREADPOOL_SIZE` as libuv reads it: what does not begin with a number is 0, and of 0 it makes 1. */
export function threadsOf(setting: string | undefined): number {
  if (setting === undefined) return DEFAULT_THREADS;
  return Math.min(MOST_THREADS, Math.max(1, Number.parseInt(setting, 10) || 0));
}

/** That of this process. */
export const threadShare = new ThreadShare();
