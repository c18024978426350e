import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RedisConnection } from '../../lib/redis/redis-connection.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import type { TransactionOptions, TransactionReplies } from '../../lib/redis/transactions/transaction.js';
import { eventually } from '../support/eventually.js';
import { useFaultProxy } from '../support/fault-proxy.js';
import { useRedisServer } from '../support/redis-server.js';

const server = useRedisServer();
const proxy = useFaultProxy(server);

/** Not of the pool, and past the proxy. */
let outside: Redis;
let pool: RedisPool;

beforeEach(async () => {
  outside = new Redis(server.url);
  await outside.flushall();
  pool = poolOf({ max: 3 });
});

afterEach(async () => {
  await pool.drain();
  await outside.quit();
});

const poolOf = (options: Partial<RedisPoolOptions>) =>
  new RedisPool('shop', { type: 'redis', url: server.url, ...options });

const addOne = async (redis: RedisConnection) => {
  const before = Number(await redis.get('n'));
  return redis.multi().set('n', before + 1);
};

describe('A transaction', () => {
  it('executes what its task returns, and resolves with the replies', async () => {
    await outside.set('n', 41);
    const replies = await pool.transaction(['n'], async (redis) => {
      const before = Number(await redis.get('n'));
      return redis
        .multi()
        .set('n', before + 1)
        .get('n')
        .hgetall('nothing');
    });
    expect(replies).toEqual([
      [null, 'OK'],
      [null, '42'],
      [null, {}],
    ]);
  });

  it('resolves with undefined when its task wants nothing, and leaves nothing behind', async () => {
    const replies = await pool.transaction(['n'], () => Promise.resolve(undefined));
    expect(replies).toBeUndefined();
    await pool.use(async (redis) => {
      await outside.incr('n');
      await expect(redis.multi().incr('n').exec()).resolves.toEqual([[null, 2]]);
    });
  });

  it('is tried again on the same connection when a watched key was changed', async () => {
    const connections: unknown[] = [];
    await pool.transaction(['n'], async (redis) => {
      connections.push(await redis.client('ID'));
      const chain = await addOne(redis);
      if (connections.length < 4) await outside.incrby('n', 10);
      return chain;
    });
    await expect(outside.get('n')).resolves.toBe('31');
    expect(connections).toHaveLength(4);
    expect(new Set(connections).size).toBe(1);
  });

  it('is given up after its retries, and says so without a value', async () => {
    await outside.set('n', 'secret');
    const given = pool.transaction(
      ['n'],
      async (redis) => {
        await outside.append('n', '!');
        return redis.multi().set('other', 'secret');
      },
      { retries: 2 },
    );
    await expect(given).rejects.toMatchObject({
      name: 'RedisTransactionError',
      code: 'ERR_POOL_TRANSACTION_CONFLICT',
      pool: 'shop',
      tries: 3,
      message: expect.not.stringContaining('secret') as unknown,
    });
    await expect(outside.get('n')).resolves.toBe('secret!!!');
    await expect(outside.exists('other')).resolves.toBe(0);
    expect(pool.stats().leased).toBe(0);
  });

  it('whose task fails is not executed, and the next holder watches nothing', async () => {
    const error = new Error('out of stock');
    await expect(pool.transaction(['n'], () => Promise.reject(error))).rejects.toBe(error);
    await pool.use(async (redis) => {
      await outside.incr('n');
      await expect(redis.multi().incr('n').exec()).resolves.toEqual([[null, 2]]);
    });
  });

  it('that the server refuses is rejected with what it says, and not tried again', async () => {
    let tries = 0;
    const refused = pool.transaction(['n'], (redis) => {
      tries += 1;
      return Promise.resolve(redis.multi().call('NOSUCHCOMMAND').set('n', 1));
    });
    await expect(refused).rejects.toMatchObject({
      name: 'ReplyError',
      message: expect.stringMatching(/EXECABORT/) as unknown,
    });
    expect(tries).toBe(1);
    await expect(outside.exists('n')).resolves.toBe(0);
  });

  it('tells which of its commands failed, as ioredis does', async () => {
    await outside.set('n', 'text');
    const replies = await pool.transaction<TransactionReplies>(['n'], (redis) =>
      Promise.resolve(redis.multi().incr('n').set('n', 1)),
    );
    expect(replies.map(([error]) => error?.message ?? null)).toEqual([
      expect.stringContaining('not an integer'),
      null,
    ]);
  });

  it('refuses what makes no sense, before it takes a connection', async () => {
    const nonsense = (keys: unknown, task: unknown, options?: unknown) =>
      expect(
        pool.transaction(keys as string[], task as typeof addOne, options as TransactionOptions),
      ).rejects.toMatchObject({ code: 'ERR_POOL_OPTIONS' });
    await nonsense([], addOne);
    await nonsense('n', addOne);
    await nonsense([1], addOne);
    await nonsense(['n'], undefined);
    await nonsense(['n'], 'task');
    await nonsense(['n'], addOne, { retries: -1 });
    await nonsense(['n'], addOne, { exactlyOnce: 'yes' });
    await nonsense(['n'], addOne, { retry: 3 });
    await nonsense(['n'], addOne, { timeoutMs: -1 });
    expect(pool.stats()).toMatchObject({ acquired: 0, size: 0 });
  });

  it.each<[what: string, task: (redis: RedisConnection) => unknown, returned: string]>([
    ['a pipeline', (redis) => redis.pipeline().set('n', 1), 'a pipeline()'],
    ['the replies of exec()', (redis) => redis.multi().get('n').exec(), 'an array, as exec() gives it'],
    ['something else', () => 'chain', 'a value of type string'],
    ['null', () => null, 'null'],
    ['a chain of commands', () => pool.commands.multi().set('n', 1), 'a chain of another connection'],
    [
      'a chain that was executed',
      async (redis) => {
        const chain = redis.multi().get('n');
        await chain.exec();
        return chain;
      },
      'a chain that was executed already',
    ],
  ])('whose task returns %s is refused', async (_what, task, returned) => {
    await expect(pool.transaction(['n'], task as typeof addOne)).rejects.toMatchObject({
      code: 'ERR_POOL_TRANSACTION_TASK',
      message: expect.stringContaining(`it returned ${returned}`) as unknown,
    });
    await expect(outside.exists('n')).resolves.toBe(0);
  });

  it('that asks for more than the pool has is refused, instead of waiting for itself', async () => {
    const small = poolOf({ max: 1 });
    const nested = small.transaction(['n'], async (redis) => {
      await small.commands.get('n');
      return redis.multi().set('n', 1);
    });
    await expect(nested).rejects.toMatchObject({ code: 'ERR_POOL_DEADLOCK' });
    await small.drain();
  });

  describe('ends with the signal', () => {
    const reason = new Error('the client has gone');

    it('before it has a connection', async () => {
      await expect(pool.transaction(['n'], addOne, { signal: AbortSignal.abort(reason) })).rejects.toBe(
        reason,
      );
    });

    it('in its task', async () => {
      const abort = new AbortController();
      const aborted = pool.transaction(
        ['n'],
        async (redis) => {
          abort.abort(reason);
          await sleep(20);
          return redis.multi().set('n', 1);
        },
        { signal: abort.signal },
      );
      await expect(aborted).rejects.toBe(reason);
      await sleep(40);
      await expect(outside.exists('n')).resolves.toBe(0);
    });

    it('between two tries', async () => {
      const abort = new AbortController();
      const aborted = pool.transaction(
        ['n'],
        async (redis) => {
          await outside.incr('n');
          const chain = redis.multi().set('n', 0);
          const exec = chain.exec.bind(chain);
          chain.exec = async () => {
            const replies = await exec();
            abort.abort(reason);
            return replies;
          };
          return chain;
        },
        { signal: abort.signal },
      );
      await expect(aborted).rejects.toBe(reason);
      await eventually('the lease is back', () => pool.stats().leased === 0);
    });
  });

  it('ends at its deadline, which covers the task', async () => {
    const late = pool.transaction(['n'], () => new Promise(() => undefined), { timeoutMs: 30 });
    await expect(late).rejects.toMatchObject({ code: 'ERR_POOL_TRANSACTION_TIMEOUT', tries: 1 });
    expect(pool.stats().leased).toBe(0);
  });

  it('that finds no connection by its deadline says why', async () => {
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    await expect(pool.transaction(['n'], addOne, { timeoutMs: 30 })).rejects.toMatchObject({
      code: 'ERR_POOL_TIMEOUT',
      reason: 'leased',
    });
    for (const lease of leases) await lease.release();
  });
});

describe('A transaction whose connection is lost', () => {
  beforeEach(async () => {
    await pool.drain();
    pool = new RedisPool('shop', { type: 'redis', url: proxy.url, max: 3 });
    await pool.start();
  });

  /** The connection that was opened last is the transaction's. */
  const itsConnection = () => proxy.connections.at(-1)!;

  it('before EXEC is tried again on another', async () => {
    let tries = 0;
    const replies = await pool.transaction(['n'], async (redis) => {
      if ((tries += 1) <= 2) await outside.client('KILL', 'ID', await redis.client('ID'));
      return addOne(redis);
    });
    expect(replies).toEqual([[null, 'OK']]);
    expect(tries).toBe(3);
    await expect(outside.get('n')).resolves.toBe('1');
  });

  it('before EXEC time and again is given up, and nothing was executed', async () => {
    let tries = 0;
    const lost = pool.transaction(
      ['n'],
      async (redis) => {
        tries += 1;
        await outside.client('KILL', 'ID', await redis.client('ID'));
        return addOne(redis);
      },
      { retries: 2 },
    );
    await expect(lost).rejects.toMatchObject({ code: 'ERR_POOL_LEASE_BROKEN' });
    expect(tries).toBe(3);
    await expect(outside.exists('n')).resolves.toBe(0);
  });

  /** Its task works, and then something happens to its connection: the first time only. */
  const troubled = (trouble: () => void) => {
    let tries = 0;
    return {
      task: async (redis: RedisConnection) => {
        const chain = await addOne(redis);
        if ((tries += 1) === 1) trouble();
        return chain;
      },
      get tries() {
        return tries;
      },
    };
  };

  /** EXEC is executed, its answer is lost. */
  const losesTheAnswer = () =>
    troubled(() => {
      const connection = itsConnection();
      connection.stall('toClient');
      void eventually('it was executed', async () => (await outside.get('n')) === '1').then(() =>
        connection.reset(),
      );
    });

  /** EXEC is lost on its way. */
  const losesTheQuestion = () =>
    troubled(() => {
      const connection = itsConnection();
      connection.stall('toServer');
      setTimeout(() => connection.reset(), 20);
    });

  it('after EXEC is not tried again, because nobody knows whether it was executed', async () => {
    for (const [lossy, expected] of [
      [losesTheAnswer(), '1'],
      [losesTheQuestion(), null],
    ] as const) {
      await outside.del('n');
      await expect(pool.transaction(['n'], lossy.task)).rejects.toMatchObject({
        name: 'RedisTransactionError',
        code: 'ERR_POOL_TRANSACTION_UNKNOWN',
        tries: 1,
        message: expect.stringContaining('exactlyOnce') as unknown,
        cause: { code: 'ERR_POOL_LEASE_BROKEN' },
      });
      await expect(outside.get('n')).resolves.toBe(expected);
    }
  });

  describe('after EXEC, with exactlyOnce,', () => {
    it('resolves with null when it was executed', async () => {
      const lossy = losesTheAnswer();
      await expect(pool.transaction(['n'], lossy.task, { exactlyOnce: true })).resolves.toBeNull();
      expect(lossy.tries).toBe(1);
      await expect(outside.get('n')).resolves.toBe('1');
    });

    it('is tried again when it was not', async () => {
      const lossy = losesTheQuestion();
      await expect(pool.transaction(['n'], lossy.task, { exactlyOnce: true })).resolves.toEqual([
        [null, 'OK'],
      ]);
      expect(lossy.tries).toBe(2);
      await expect(outside.get('n')).resolves.toBe('1');
    });

    it('is not executed twice by an EXEC that was held up on its way', async () => {
      const slow = new RedisPool('slow', { type: 'redis', url: proxy.url, max: 2, commandTimeoutMs: 50 });
      await slow.commands.set('list', 0);
      await outside.del('list');
      let held: ReturnType<typeof itsConnection> | undefined;
      const push = async (redis: RedisConnection) => {
        await redis.get('n');
        held ??= (() => {
          itsConnection().stall('toServer');
          return itsConnection();
        })();
        return redis.multi().rpush('list', 'pushed'); // does not touch what it watches
      };
      await expect(slow.transaction(['n'], push, { exactlyOnce: true })).resolves.toEqual([[null, 1]]);
      held?.resume('toServer');
      await eventually('the late EXEC has arrived', () => !held?.isOpen);
      await expect(outside.lrange('list', 0, -1)).resolves.toEqual(['pushed']);
      await slow.drain();
    });

    it('is unknown when nobody can be asked in time', async () => {
      const lossy = troubled(() => {
        proxy.refuse();
        proxy.stall();
        setTimeout(() => proxy.reset(), 20);
      });
      const unknown = pool.transaction(['n'], lossy.task, { exactlyOnce: true, timeoutMs: 200 });
      await expect(unknown).rejects.toMatchObject({ code: 'ERR_POOL_TRANSACTION_UNKNOWN' });
      await pool.drain({ timeoutMs: 50 });
    });

    it('leaves a marker that expires', async () => {
      await pool.transaction(['user:{7}:n', 'n'], addOne, { exactlyOnce: true });
      const [marker = ''] = (await outside.keys('*')).filter((key) => key !== 'n');
      expect(marker).toMatch(/^user:\{7\}:n:/);
      expect(await outside.ttl(marker)).toBeGreaterThan(0);
    });
  });

  it('because the server is silent is unknown by the deadline of a command', async () => {
    const slow = new RedisPool('slow', { type: 'redis', url: proxy.url, max: 2, commandTimeoutMs: 50 });
    const silent = troubled(() => itsConnection().stall());
    await expect(slow.transaction(['n'], silent.task)).rejects.toMatchObject({
      code: 'ERR_POOL_TRANSACTION_UNKNOWN',
      cause: {
        code: 'ERR_POOL_UNAVAILABLE',
        message: expect.stringContaining('no answer to EXEC') as unknown,
      },
    });
    expect(slow.stats().leased).toBe(0);
    await slow.drain();
  });
});

describe('Fifty callers who each add 1 to one key a hundred times', () => {
  const CALLERS = 50;
  const TIMES = 100;

  /** A generator of random numbers below 1 that gives the same ones each time. */
  const seeded = (seed: number) => () => {
    seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return seed / 2 ** 32;
  };

  /** Cuts connections at random until told to stop. */
  function cutAtRandom(seed: number) {
    const random = seeded(seed);
    let goesOn = true;
    let cuts = 0;
    const cutting = (async () => {
      const own = await outside.client('ID');
      while (goesOn) {
        const list = String(await outside.client('LIST'));
        const ids = [...list.matchAll(/^id=(\d+)/gm)].map(([, id]) => Number(id)).filter((id) => id !== own);
        const victim = ids[Math.floor(random() * ids.length)];
        if (victim !== undefined) cuts += Number(await outside.client('KILL', 'ID', victim));
        await sleep(random() * 20);
      }
      return cuts;
    })();
    return () => {
      goesOn = false;
      return cutting;
    };
  }

  /** What each of them was told. */
  async function count(options?: TransactionOptions) {
    const told = { done: 0, unknown: 0, failures: [] as unknown[] };
    const one = () =>
      pool.transaction(['n'], addOne, options).then(
        () => (told.done += 1),
        (error: { code?: string }) =>
          error.code === 'ERR_POOL_TRANSACTION_UNKNOWN'
            ? (told.unknown += 1)
            : told.failures.push(error.code),
      );
    const caller = async () => {
      for (let time = 0; time < TIMES; time += 1) await one();
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    return told;
  }

  beforeEach(async () => {
    await pool.drain();
    pool = poolOf({ max: 11 });
  });

  it('reach the sum, and nobody gives up', async () => {
    await expect(count()).resolves.toEqual({ done: CALLERS * TIMES, unknown: 0, failures: [] });
    await expect(outside.get('n')).resolves.toBe(String(CALLERS * TIMES));
  }, 60_000);

  it('reach the sum exactly while connections are cut at random, with exactlyOnce', async () => {
    const stop = cutAtRandom(1);
    const told = await count({ exactlyOnce: true });
    await expect(stop()).resolves.toBeGreaterThan(10);
    expect(told).toEqual({ done: CALLERS * TIMES, unknown: 0, failures: [] });
    await expect(outside.get('n')).resolves.toBe(String(CALLERS * TIMES));
  }, 120_000);

  it('know what they do not know while connections are cut at random, without', async () => {
    const stop = cutAtRandom(2);
    const { done, unknown, failures } = await count();
    await expect(stop()).resolves.toBeGreaterThan(10);
    expect(failures).toEqual([]);
    expect(done + unknown).toBe(CALLERS * TIMES);
    const sum = Number(await outside.get('n'));
    expect(sum).toBeGreaterThanOrEqual(done);
    expect(sum).toBeLessThanOrEqual(done + unknown);
  }, 120_000);
});
