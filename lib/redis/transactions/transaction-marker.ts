import { randomUUID } from 'node:crypto';
import { Command, type ChainableCommander } from 'ioredis';
import { PoolClosedError } from '../../core/pool.errors.js';
import { pause } from './pause.js';
import type { RedisCommands } from '../commands/redis-commands.js';
import { within } from '../within.js';

/** How long the server remembers what became of a transaction. */
const KEPT_SECONDS = 60;

/** How long after EXEC it can be asked: by then even an EXEC that was executed at once is still remembered. */
const ASKED_WITHIN_MS = 45_000;

const PAUSE_MS = { first: 20, longest: 1_000 };

/** What the marker says. */
const EXECUTED = 'executed';
const NEVER = 'never';

interface Asking {
  /** When EXEC was sent, by `performance.now()`. */
  readonly sentAt: number;
  readonly signal: AbortSignal;
}

/**
 * A key by which the server knows whether a transaction was executed. The transaction watches it and writes it, so that there is one
 * winner: either the transaction wrote it, or whoever asks did, and then the transaction can never be executed any more,
 * wherever its EXEC may still be under way.
 */
export class TransactionMarker {
  readonly key: string;

  constructor(firstKey: string, keyPrefix: string | undefined) {
    this.key = neighbourOf(firstKey, keyPrefix);
  }

  addTo(chain: ChainableCommander): void {
    chain.set(this.key, EXECUTED, 'EX', KEPT_SECONDS);
  }

  /**
   * Whether the transaction was executed. What is answered stays true.
   * @throws what kept the server from answering in time, or the signal's reason
   */
  async wasExecuted(commands: RedisCommands, { sentAt, signal }: Asking): Promise<boolean> {
    const until = sentAt + ASKED_WITHIN_MS;
    for (let tries = 0; ; tries += 1) {
      const ms = until - performance.now();
      if (ms <= 0) throw new Error(TOO_LATE);
      try {
        return await within(this.#ask(commands), { ms, signal, late: () => new Error(TOO_LATE) });
      } catch (error) {
        const isHopeless = signal.aborted || error instanceof PoolClosedError || performance.now() >= until;
        if (isHopeless) throw error;
      }
      await pause(Math.random() * Math.min(PAUSE_MS.longest, PAUSE_MS.first * 2 ** tries), signal);
    }
  }

  /** May be asked again when the answer is lost: only the first writer counts. */
  async #ask(commands: RedisCommands): Promise<boolean> {
    const { key } = this;
    const replies = await commands.multi().set(key, NEVER, 'EX', KEPT_SECONDS, 'NX').get(key).exec();
    const [error, found] = replies?.[1] ?? [new Error('no answer')];
    if (error !== null) throw error;
    return found === EXECUTED;
  }
}

const TOO_LATE = `the server could not be asked within ${ASKED_WITHIN_MS / 1_000} s`;

/**
 * A fresh key in the hash slot of `key`, where a cluster wants all keys of a transaction. It begins with `key`, so that rules about
 * prefixes (of an ACL, say) that allow the one allow the other.
 */
export function neighbourOf(key: string, keyPrefix = ''): string {
  const slotOf = (each: string) => new Command('get', [each], { keyPrefix }).getSlot();
  const slot = slotOf(key);
  const id = randomUUID();
  const candidates = [`${key}:${id}`, `${key}:{${keyPrefix}${key}}:${id}`];
  const near = candidates.find((each) => slotOf(each) === slot);
  // Braces that make no hash tag, as in "a}b" or "a{}b", leave only trying: one in 16,384 is a neighbour.
  for (let tries = 0; near === undefined; tries += 1) {
    const candidate = `${key}:{${tries}}:${id}`;
    if (slotOf(candidate) === slot) return candidate;
  }
  return near;
}
