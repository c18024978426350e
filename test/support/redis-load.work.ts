import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisPool } from '../../lib/redis/redis-pool.js';
import type { TransactionReplies, TransactionTask } from '../../lib/redis/transactions/transaction.js';

/** How long a caller keeps a lease at most: its holder must say so, for the pool cannot know. */
const LEASE_MS = 400;

/** One piece of work of one caller. */
export interface Errand {
  readonly pool: RedisPool;
  /** Nobody else has it, and it is used once: a key, a value, a word to be echoed. */
  readonly own: string;
  /** The server may have been restarted, and keeps nothing. */
  readonly mayForget: boolean;
  /** A number from 0 to 1 by chance. */
  readonly chance: () => number;
  /** Complains unless they are the same. */
  readonly same: (reply: unknown, expected: unknown) => void;
}

type Work = (errand: Errand) => Promise<void>;

/** What callers do. Each knows the only right answer to each of its questions, so that a reply of another caller is noticed. */
export const WORK: Readonly<Record<string, Work>> = {
  async 'ECHO on commands'({ pool, own, same }) {
    same(await pool.commands.echo(own), own);
  },

  async 'SET and GET on commands'({ pool, own, same, mayForget }) {
    same(await pool.commands.set(own, own, 'EX', 60), 'OK');
    const reply = await pool.commands.get(own);
    if (reply !== null || !mayForget) same(reply, own);
  },

  /** ioredis sends again what was in flight when the connection was lost: it may be counted more than once, and never less. */
  async 'INCR on commands'({ pool, own, same, mayForget }) {
    same((await pool.commands.incr(own)) >= 1, true);
    same((await pool.commands.incr(own)) >= (mayForget ? 1 : 2), true);
  },

  async 'a pipeline'({ pool, own, same }) {
    const replies = await pool.commands.pipeline().echo(own).set(own, own, 'EX', 60).echo(own).exec();
    same(repliesOf(replies), [own, 'OK', own]);
  },

  async 'a transaction'({ pool, own, same }) {
    const replies = await pool.commands.multi().set(own, own, 'EX', 60).get(own).exec();
    same(repliesOf(replies), ['OK', own]);
  },

  async 'a lease'({ pool, own, same }) {
    await pool.use(
      async (redis) => {
        same(await redis.set(own, own, 'EX', 60), 'OK');
        same(await redis.get(own), own);
        same(await redis.incr(`${own}:counter`), 1);
      },
      { signal: AbortSignal.timeout(LEASE_MS) },
    );
  },

  async 'a lease that watches'({ pool, own, same }) {
    await pool.use(
      async (redis) => {
        await redis.watch(own);
        const replies = await redis.multi().incr(own).echo(own).exec();
        same(repliesOf(replies), [1, own]);
      },
      { signal: AbortSignal.timeout(LEASE_MS) },
    );
  },

  async 'a lease kept for a while'({ pool, own, same, chance }) {
    await pool.use(
      async (redis) => {
        same(await redis.echo(own), own);
        await sleep(chance() * 20);
        same(await redis.echo(own), own);
      },
      { signal: AbortSignal.timeout(LEASE_MS) },
    );
  },

  async 'BLPOP of what is there'({ pool, own, same, mayForget }) {
    await pool.commands.rpush(own, own);
    const reply = await pool.commands.blpop(own, 0.2);
    if (reply !== null || !mayForget) same(reply, [own, own]);
  },

  async 'BLPOP of nothing'({ pool, own, same }) {
    same(await pool.commands.blpop(own, 0.02), null);
  },

  async 'BLPOP that is given up'({ pool, own, same }) {
    const blocked = pool.use((redis) => redis.blpop(own, 0), { signal: AbortSignal.timeout(20) });
    const reply = await blocked.catch((error: Error) => {
      if (error.name !== 'TimeoutError') throw error;
      return null;
    });
    same(reply, null);
  },

  async 'transaction()'({ pool, own, same, mayForget }) {
    const addOne: TransactionTask = async (redis) => {
      const sum = Number(await redis.get(own)) + 1;
      return redis.multi().set(own, sum).echo(own);
    };
    const replies = await pool.transaction([own], addOne, { exactlyOnce: true, timeoutMs: 1_000 });
    if (replies !== null) same(repliesOf(replies), ['OK', own]);
    const sum = await pool.commands.get(own);
    if (sum !== null || !mayForget) same(sum, '1');
  },
};

/**
 * What `exec()` resolves with, if all went well.
 * @throws the first error among the replies
 */
export function repliesOf(replies: TransactionReplies | null | undefined): unknown[] | undefined {
  return replies?.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}
