import type { Command, Redis } from 'ioredis';

/** So often within the time that a command may take is looked for those that are late, but no less often than this. */
const LOOKS = 20;
const LONGEST_PAUSE_MS = 250;

interface Watched {
  /** Where the answers come from, if that is one connection. */
  readonly client?: Redis;
  readonly unanswered: Iterable<Command>;
  /** How long a command may take. */
  readonly timeoutMs: number;
  /** These took longer. */
  readonly late: (commands: Command[]) => void;
}

/**
 * Notices commands that are not answered in time, up to a tenth later, without a timer or a promise for each: it looks at what is in
 * flight now and then, and remembers since when it has seen it. Time in which this process itself was too busy to look does not count.
 */
export class AnswerWatch {
  readonly #watched: Watched;
  readonly #everyMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #seenAt = new WeakMap<Command, number>();
  /** Milliseconds that count. */
  #clock = 0;
  #lookedAt = performance.now();
  #bytesRead = 0;
  #heardAt = 0;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#everyMs = Math.max(1, Math.min(LONGEST_PAUSE_MS, watched.timeoutMs / LOOKS));
    this.#timer = setInterval(() => this.#look(), this.#everyMs).unref();
  }

  /** Nothing has come over the connection for as long as a command may take. */
  get isSilent(): boolean {
    return this.#clock - this.#heardAt >= this.#watched.timeoutMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.#clock += Math.min(now - this.#lookedAt, 2 * this.#everyMs);
    this.#lookedAt = now;
    this.#listen();
    const { unanswered, timeoutMs, late } = this.#watched;
    const overdue: Command[] = [];
    for (const command of unanswered) {
      if (!command.isSettled && this.#ageOf(command) >= timeoutMs) overdue.push(command);
    }
    if (overdue.length > 0) late(overdue);
  }

  #listen(): void {
    const { bytesRead } = this.#watched.client?.stream ?? { bytesRead: 0 };
    if (bytesRead === this.#bytesRead) return;
    this.#bytesRead = bytesRead;
    this.#heardAt = this.#clock;
  }

  #ageOf(command: Command): number {
    const seenAt = this.#seenAt.get(command);
    if (seenAt === undefined) this.#seenAt.set(command, this.#clock);
    return this.#clock - (seenAt ?? this.#clock);
  }
}
