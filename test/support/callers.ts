import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisPool } from '../../lib/redis/redis-pool.js';
import { eventually } from './eventually.js';

const REST_AFTER_FAILURE_MS = 10;
const REPLICATION_TIMEOUT_MS = 50;

/**
 * Many callers of a pool, each with keys of its own that nobody else writes. They write one value after the other and read it back,
 * by shared connections and by leases, and remember what they were promised.
 */
export class Callers {
  readonly #all: readonly Caller[];
  readonly #running: Promise<unknown>;
  readonly #stopping = new AbortController();
  #markedAt = 0;

  /** The keys of each are in the hash slot of its name. */
  constructor(pool: RedisPool, names: readonly string[]) {
    this.#all = names.map((name) => new Caller(pool, name));
    this.#running = Promise.all(this.#all.map((caller) => caller.run(this.#stopping.signal)));
    this.mark();
  }

  /** How often which error was met. */
  get failures(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const failure of this.#all.flatMap(({ failures }) => failures))
      counts[failure] = (counts[failure] ?? 0) + 1;
    return counts;
  }

  /** How many rounds have ended well. */
  get rounds(): number {
    return this.#all.reduce((sum, { rounds }) => sum + rounds, 0);
  }

  /** What was read and cannot be true; nothing, if all is well. */
  get lies(): string[] {
    return this.#all.flatMap(({ lies }) => lies);
  }

  /** What a replica had acknowledged and the server has no longer; nothing, if all is well. */
  async lost(): Promise<string[]> {
    return (await Promise.all(this.#all.map((caller) => caller.lost()))).flat();
  }

  /** What was before counts no more for `wellAfterMs()`. */
  mark(): void {
    this.#markedAt = performance.now();
    for (const caller of this.#all) caller.mark();
  }

  /** Resolves when no caller fails any more, with how long that took from the mark to the end of the last one's first round. */
  async wellAfterMs(): Promise<number> {
    await eventually('every caller is served', () => this.#all.every(({ wellAt }) => wellAt !== undefined));
    return Math.round(Math.max(...this.#all.map(({ wellAt = Infinity }) => wellAt)) - this.#markedAt);
  }

  /** Resolves when all have ended their last round. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}

class Caller {
  readonly failures: string[] = [];
  readonly lies: string[] = [];
  rounds = 0;
  /** When the first whole round since the mark and the latest failure had ended. */
  wellAt: number | undefined;
  #markedAt = 0;
  /** The number of the value that was sent last, and of the latest that a replica has, too. */
  #sent = 0;
  #replicated = 0;
  readonly #pool: RedisPool;
  readonly #name: string;

  constructor(pool: RedisPool, name: string) {
    this.#pool = pool;
    this.#name = name;
  }

  mark(): void {
    this.#markedAt = performance.now();
    this.wellAt = undefined;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const beganAt = performance.now();
      try {
        await this.#round();
        this.rounds += 1;
        if (beganAt >= this.#markedAt) this.wellAt ??= performance.now();
      } catch (error) {
        this.wellAt = undefined;
        this.failures.push(titleOf(error as Error));
        await sleep(REST_AFTER_FAILURE_MS);
      }
    }
  }

  async lost(): Promise<string[]> {
    const number = numberIn(await this.#pool.commands.get(this.#replicatedKey));
    return number < this.#replicated ? [`${this.#name} wrote ${this.#replicated} and has ${number}`] : [];
  }

  async #round(): Promise<void> {
    this.#sent += 1;
    const value = `${this.#name}:${this.#sent}`;
    const { commands } = this.#pool;
    await commands.set(this.#plainKey, value);
    this.#check(await commands.get(this.#plainKey));
    await this.#replicate(value);
    const both = await commands.multi().get(this.#plainKey).get(this.#replicatedKey).exec();
    for (const [error, read] of both!) {
      if (error) throw error;
      this.#check(read as string | null);
    }
  }

  /** WAIT counts what its own connection has written, so it is in one pipeline with that, which goes over a lease. */
  async #replicate(value: string): Promise<void> {
    const sent = this.#sent;
    const [written, waited] = (await this.#pool.commands
      .pipeline()
      .set(this.#replicatedKey, value)
      .wait(1, REPLICATION_TIMEOUT_MS)
      .exec())!;
    const error = written![0] ?? waited![0];
    // ioredis follows no redirection of a pipeline that was executed in part, as this one is by WAIT.
    if (error !== null && !/^(MOVED|ASK) /.test(error.message)) throw error;
    if (error === null && waited![1] === 1) this.#replicated = sent;
  }

  /** An older value may come back when a server is lost; a stranger's, or one that was never sent, may not. */
  #check(read: string | null): void {
    const isOwn = read === null || read.startsWith(`${this.#name}:`);
    if (!isOwn || numberIn(read) > this.#sent)
      this.lies.push(`${this.#name} sent ${this.#sent} and read ${read}`);
  }

  get #plainKey(): string {
    return `{${this.#name}}:plain`;
  }

  get #replicatedKey(): string {
    return `{${this.#name}}:replicated`;
  }
}

const numberIn = (value: string | null): number => Number(value?.split(':')[1] ?? 0);

function titleOf({ name, message, code, cause }: NodeJS.ErrnoException): string {
  const because = cause instanceof Error ? ` (${cause.message.slice(0, 80)})` : '';
  return `${code ?? `${name}: ${message.slice(0, 60)}`}${because}`;
}
