import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { random } from '../../lib/compression/payloads.fake.js';
import { PoolError } from '../../lib/core/pool.errors.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import type { RedisPool } from '../../lib/redis/redis-pool.js';
import { within } from '../../lib/redis/within.js';
import { eventually } from './eventually.js';
import { WORK, type Errand } from './redis-load.work.js';

/** More would only repeat what went wrong. */
const MOST_COMPLAINTS = 10;

const LONGEST_PAUSE_MS = 30;

/** A pool whose every deadline is short, so that a fault need not last long to be felt. */
export const HASTY = {
  min: 6,
  max: 10,
  shared: 2,
  acquireTimeoutMs: 500,
  commandTimeoutMs: 400,
  createTimeoutMs: 400,
  destroyTimeoutMs: 500,
} satisfies Partial<RedisPoolOptions>;

export interface RedisLoadOptions {
  /** Default 100. */
  callers?: number;
  /** What the callers do follows from it alone; how that interleaves is the machine's affair. */
  seed: number;
  /** The server may be restarted, and keeps nothing. */
  mayForget?: boolean;
  /** Who waits longer than this was forgotten. Default 8,000: far beyond every deadline that the callers have. */
  patienceMs?: number;
}

/** Many callers who use a pool without rest, each with values of its own, and who notice whatever is not right. */
export class RedisLoad {
  /** What the pool did that it must not do. */
  readonly complaints: string[] = [];
  /** How often work ended in which way: `served`, or the code of the error. */
  readonly outcomes: Record<string, number> = {};
  readonly #pool: RedisPool;
  readonly #options: Required<RedisLoadOptions>;
  /** How much of its work each caller was served. */
  readonly #served: number[];
  /** Keeps the keys of several loads at one server apart. */
  readonly #name = randomUUID().slice(0, 8);
  #working: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(pool: RedisPool, options: RedisLoadOptions) {
    this.#pool = pool;
    this.#options = { callers: 100, mayForget: false, patienceMs: 8_000, ...options };
    this.#served = new Array<number>(this.#options.callers).fill(0);
  }

  start(): void {
    this.#working = Promise.all(this.#served.map((_, caller) => this.#workAs(caller)));
  }

  /** Resolves when every caller has been served since it was asked. */
  async servesEverybody(): Promise<void> {
    const before = [...this.#served];
    const missing = () => this.#served.filter((count, caller) => count <= before[caller]!).length;
    await eventually('every caller is served', () => missing() === 0).catch((error: unknown) => {
      throw new Error(`${missing()} callers are not served (${JSON.stringify(this.outcomes)})`, {
        cause: error,
      });
    });
  }

  /** Resolves when every caller has come to an end with what it is doing. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  async #workAs(caller: number): Promise<void> {
    const chance = random(this.#options.seed + caller);
    const titles = Object.keys(WORK);
    for (let count = 1; !this.#isOver; count += 1) {
      const title = titles[Math.floor(chance() * titles.length)]!;
      const outcome = await this.#do(title, `${this.#name}:${caller}:${count}`, chance);
      this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
      if (outcome === 'served') this.#served[caller]! += 1;
      await sleep(chance() * LONGEST_PAUSE_MS);
    }
  }

  /** How it ended. */
  async #do(title: string, own: string, chance: () => number): Promise<string> {
    const errand: Errand = {
      pool: this.#pool,
      own,
      mayForget: this.#options.mayForget,
      chance,
      same: (reply, expected) => {
        if (!isDeepStrictEqual(reply, expected))
          this.#complain(title, `got ${JSON.stringify(reply)} instead of ${JSON.stringify(expected)}`);
      },
    };
    const ms = this.#options.patienceMs;
    const late = () => new Error(`there was neither result nor error within ${ms} ms`);
    try {
      await within(WORK[title]!(errand), { ms, late });
      return 'served';
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) this.#complain(title, `failed with ${String(error)}`);
      return code ?? 'unclear';
    }
  }

  #complain(title: string, about: string): void {
    if (this.complaints.length < MOST_COMPLAINTS)
      this.complaints.push(`${title}: ${about} (seed ${this.#options.seed})`);
  }
}

/** The code of an error that says what is wrong: one of the pool, or the reason of the caller's own signal. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof PoolError) return error.code;
  return error instanceof DOMException && error.name === 'TimeoutError' ? 'aborted' : undefined;
}
