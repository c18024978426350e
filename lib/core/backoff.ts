/**
 * How long to wait after a failed try: doubling, with jitter so that a fleet does not come back all at once, and never so long that
 * a caller's usual deadline passes between two tries.
 */
const FIRST_MS = 50;
const LONGEST_MS = 1_000;

/** After so many failures in a row the next try will hardly do better: about a second has passed then. */
const HOPELESS_AFTER = 5;

/** Spaces out tries that keep failing. Failures of tries that ran side by side count as one. */
export class Backoff {
  #failuresInARow = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(private readonly tryAgain: () => void) {}

  /** The last try failed, and none has succeeded since. */
  get failing(): boolean {
    return this.#failuresInARow > 0;
  }

  /** So many tries failed in a row that nobody should wait for the next. */
  get hopeless(): boolean {
    return this.#failuresInARow >= HOPELESS_AFTER;
  }

  /** It is too early for the next try. */
  get resting(): boolean {
    return this.#timer !== undefined;
  }

  /** Tells how many failures in a row that ended. */
  succeeded(): number {
    const failures = this.#failuresInARow;
    this.#failuresInARow = 0;
    return failures;
  }

  /** What succeeded after so many failures came to nothing: the pauses go on growing. */
  relapsed(failures: number, awaited: boolean): void {
    this.#failuresInARow = Math.max(this.#failuresInARow, failures);
    this.failed(awaited);
  }

  /** The pause before the next try keeps the process alive only if that is `awaited`. */
  failed(awaited = true): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failuresInARow);
    this.#failuresInARow += 1;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.tryAgain();
      },
      ceiling * (0.5 + Math.random() / 2),
    );
    if (!awaited) this.#timer.unref();
  }

  /** Somebody waits for the next try now. */
  keepAwake(): void {
    this.#timer?.ref();
  }

  /** For good: what fails after this is not tried again. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
