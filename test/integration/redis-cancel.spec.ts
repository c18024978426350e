import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Lease } from '../../lib/core/lease.js';
import type { PoolError } from '../../lib/core/pool.errors.js';
import type { PoolEvent } from '../../lib/core/pool.events.js';
import type { RedisConnection } from '../../lib/redis/redis-connection.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { eventually } from '../support/eventually.js';
import { useRedisServer } from '../support/redis-server.js';

afterAll(() => outside.quit()); // before the server is stopped, or it would wait for that

const server = useRedisServer();
const SEED = 20_251;
const CALLERS = 6;

/** Somebody else on the same server. */
let outside: Redis;
let pool: RedisPool;
let random: () => number;

beforeAll(() => {
  outside = new Redis(server.url);
});
beforeEach(async () => {
  random = randomFrom(SEED);
  await outside.flushall();
});
afterEach(() => pool.drain());

function open(options: Partial<RedisPoolOptions> = {}): RedisPool {
  pool = new RedisPool('jobs', { type: 'redis', url: server.url, max: CALLERS + 1, ...options });
  return pool;
}

/** Mulberry32: the same moments in each run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Block = (redis: RedisConnection) => Promise<unknown>;
const idOf = (redis: RedisConnection) => redis.client('ID');
const reason = new Error('changed my mind');

/** Resolves when so many clients of the server are blocked. */
const areBlocked = (count: number) =>
  eventually(`${count} are blocked`, async () =>
    (await outside.info('clients')).includes(`\nblocked_clients:${count}\r`),
  );

const numbersFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, at) => String(first + at));

/** The outcome of a use that is aborted after a random moment, which may be before it began to block. */
async function abortedAtRandom(block: Block, caller: string): Promise<unknown> {
  const controller = new AbortController();
  const mine = new Error(`${caller} changed its mind`);
  const timer = setTimeout(() => controller.abort(mine), random() * 4);
  try {
    return await pool.use(
      async (redis) => {
        const [name, reply] = await Promise.allSettled([redis.echo(caller), block(redis)]);
        expect(name).toMatchObject({ value: caller });
        if (reply.status === 'rejected') throw reply.reason;
        return reply.value;
      },
      { signal: controller.signal },
    );
  } catch (error) {
    expect(error).toBe(mine); // its own, and nobody else's
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** Callers who block again and again, while a producer makes `count` elements: what they received, each for itself. */
async function workAtRandom(
  blockFor: (caller: string) => Block,
  produce: (element: string) => Promise<unknown>,
  count: number,
): Promise<unknown[]> {
  let isProducing = true;
  const producing = (async () => {
    for (const element of numbersFrom(0, count)) {
      await produce(element);
      if (random() < 0.5) await sleep(random() * 2);
    }
    isProducing = false;
  })();
  const callers = numbersFrom(0, CALLERS).map(async (caller) => {
    const received: unknown[] = [];
    while (isProducing) {
      const reply = await abortedAtRandom(blockFor(caller), caller);
      if (reply !== undefined && reply !== null) received.push(reply);
    }
    return received;
  });
  await producing;
  return (await Promise.all(callers)).flat();
}

const sorted = (elements: readonly string[]) =>
  [...elements].sort((one, other) => Number(one) - Number(other));

describe('A blocked command whose signal aborts', () => {
  beforeEach(() => outside.xgroup('CREATE', 'stream', 'group', '$', 'MKSTREAM'));

  it.each<[string, Block]>([
    ['BLPOP', (redis) => redis.blpop('list', 0)],
    ['BRPOP', (redis) => redis.brpop('list', 'other', 0)],
    ['BLMOVE', (redis) => redis.blmove('list', 'other', 'LEFT', 'RIGHT', 0)],
    ['BLMPOP', (redis) => redis.blmpop(0, 1, 'list', 'LEFT')],
    ['BZPOPMIN', (redis) => redis.bzpopmin('zset', 0)],
    ['BZMPOP', (redis) => redis.bzmpop(0, 1, 'zset', 'MIN')],
    ['XREAD', (redis) => redis.xread('BLOCK', 0, 'STREAMS', 'stream', '$')],
    ['XREADGROUP', (redis) => redis.xreadgroup('GROUP', 'group', 'me', 'BLOCK', 0, 'STREAMS', 'stream', '>')],
    ['WAIT', async (redis) => [await redis.set('a', 1), await redis.wait(5, 0)]],
    ['a command by call()', (redis) => redis.call('BLPOP', 'list', '0')],
  ])('is rejected with its reason and keeps its connection: %s', async (_name, block) => {
    open({ max: 2 });
    const id = await pool.use(idOf);
    const controller = new AbortController();
    const used = pool.use(block, { signal: controller.signal });
    await areBlocked(1);
    controller.abort(reason);
    await expect(used).rejects.toBe(reason);
    await expect(pool.use(idOf)).resolves.toBe(id);
  });

  it('is ended although the word overtakes it', async () => {
    open({ max: 2 });
    await pool.ping(); // so that there is somebody to say it
    const id = await pool.use(idOf);
    const controller = new AbortController();
    const block: Block = (redis) => {
      const { stream } = redis as Redis;
      stream.cork(); // it is on its way for a while
      const reply = redis.blpop('list', 0);
      setTimeout(() => stream.uncork(), 30);
      controller.abort(reason);
      return reply;
    };
    await expect(pool.use(block, { signal: controller.signal })).rejects.toBe(reason);
    await expect(pool.use(idOf)).resolves.toBe(id);
  });

  it('is ended although this process was too busy meanwhile to hear the server', async () => {
    open({ max: 2 });
    await pool.ping(); // so that there is somebody to say it
    const id = await pool.use(idOf);
    const controller = new AbortController();
    const used = pool.use((redis) => redis.blpop('list', 0), { signal: controller.signal });
    await areBlocked(1);
    controller.abort(reason);
    const busyUntil = performance.now() + 1_500; // longer than the server may take
    while (performance.now() < busyUntil);
    await expect(used).rejects.toBe(reason);
    await expect(pool.use(idOf)).resolves.toBe(id);
  });

  it('is ended with all that block behind it in the same pipeline', async () => {
    open({ max: 2 });
    const id = await pool.use(idOf);
    const controller = new AbortController();
    const pipelined = (redis: RedisConnection) =>
      redis.pipeline().set('a', 1).blpop('list', 0).get('a').brpop('list', 0).blpop('list', 0).exec();
    const used = pool.use(pipelined, { signal: controller.signal });
    await areBlocked(1);
    controller.abort(reason);
    await expect(used).resolves.toEqual([[null, 'OK'], [reason], [null, '1'], [reason], [reason]]);
    await expect(pool.use(idOf)).resolves.toBe(id);
  });

  it('is refused when it comes after that, and nothing is delivered to it', async () => {
    open({ max: 2 });
    await outside.rpush('list', 'element');
    const controller = new AbortController();
    let late: Promise<unknown> | undefined;
    const used = pool.use(
      async (redis) => {
        await redis.ping();
        controller.abort(reason);
        await (late = Promise.allSettled([
          redis.blpop('list', 0),
          redis.pipeline().set('a', 1).blpop('list', 0).get('a').exec(),
          redis.multi().set('a', 2).blpop('nothing', 0).exec(),
        ]));
      },
      { signal: controller.signal },
    );
    await expect(used).rejects.toBe(reason);
    await expect(late).resolves.toMatchObject([
      { reason },
      { value: [[null, 'OK'], [reason], [null, '1']] },
      {
        value: [
          [null, 'OK'],
          [null, null],
        ],
      },
    ]);
    await expect(outside.llen('list')).resolves.toBe(1);
  });

  it('needs no connection but the shared one', async () => {
    open({ max: 2 });
    await pool.ping();
    const connections = async () => /total_connections_received:(\d+)/.exec(await outside.info('stats'))?.[1];
    const controller = new AbortController();
    const used = pool.use((redis) => redis.blpop('list', 0), { signal: controller.signal });
    await areBlocked(1);
    const before = await connections();
    controller.abort(reason);
    await expect(used).rejects.toBe(reason);
    await expect(connections()).resolves.toBe(before);
  });

  it('is ended by a connection opened for the moment where there is no other', async () => {
    open({ max: 1 });
    const id = await pool.use(idOf);
    const clients = async () =>
      String(await outside.client('LIST'))
        .trim()
        .split('\n').length;
    const before = await clients();
    const controller = new AbortController();
    const used = pool.use((redis) => redis.blpop('list', 0), { signal: controller.signal });
    await areBlocked(1);
    controller.abort(reason);
    await expect(used).rejects.toBe(reason);
    await expect(pool.use(idOf)).resolves.toBe(id);
    await eventually('it is closed again', async () => (await clients()) === before);
  });

  it('loses its connection, and nothing else, where the user may not unblock', async () => {
    await outside.call('ACL', 'SETUSER', 'plain', 'on', '>secret', '~*', '&*', '+@all', '-client|unblock');
    open({ max: 2, connection: { username: 'plain', password: 'secret' } });
    const id = await pool.use(idOf);
    const controller = new AbortController();
    const used = pool.use((redis) => redis.blpop('list', 0), { signal: controller.signal });
    await areBlocked(1);
    controller.abort(reason);
    await expect(used).rejects.toBe(reason);
    await expect(pool.use(idOf)).resolves.not.toBe(id);
    await areBlocked(0);
  });
});

describe(`Callers who give up at random moments (seed ${SEED})`, () => {
  it.each([
    ['with a shared connection', CALLERS + 1, 1],
    ['with none', CALLERS, 0],
  ])('receive each element of a list once, or leave it there, %s', async (_how, max, shared) => {
    open({ max, shared });
    const received = await workAtRandom(
      (caller) => (redis) => redis.blpop('jobs', `jobs:${caller}`, 0),
      (element) => outside.rpush(random() < 0.5 ? 'jobs' : `jobs:${Number(element) % CALLERS}`, element),
      400,
    );
    const lists = ['jobs', ...numbersFrom(0, CALLERS).map((caller) => `jobs:${caller}`)];
    const left = (await Promise.all(lists.map((list) => outside.lrange(list, 0, -1)))).flat();
    const pairs = received as [string, string][];
    expect(sorted([...pairs.map(([, element]) => element), ...left])).toEqual(numbersFrom(0, 400));
    expect(
      pairs.filter(([list, element]) => list !== 'jobs' && list !== `jobs:${Number(element) % CALLERS}`),
    ).toEqual([]);
    expect(pool.stats()).toMatchObject({ destroyed: 0 });
  });

  it('receive each element that was moved, and no other', async () => {
    open();
    const received = await workAtRandom(
      () => (redis) => redis.blmove('jobs', 'taken', 'LEFT', 'RIGHT', 0),
      (element) => outside.rpush('jobs', element),
      200,
    );
    await expect(outside.lrange('taken', 0, -1).then(sorted)).resolves.toEqual(sorted(received as string[]));
    expect(pool.stats()).toMatchObject({ destroyed: 0 });
  });

  it('receive each member of a sorted set once, or leave it there', async () => {
    open();
    const received = await workAtRandom(
      () => (redis) => redis.bzpopmin('jobs', 0),
      (element) => outside.zadd('jobs', element, element),
      200,
    );
    const members = (received as [string, string, string][]).map(([, member]) => member);
    expect(sorted([...members, ...(await outside.zrange('jobs', '0', '-1'))])).toEqual(numbersFrom(0, 200));
    expect(pool.stats()).toMatchObject({ destroyed: 0 });
  });

  it('receive each entry of a stream that was delivered to their group, and no other', async () => {
    open();
    await outside.xgroup('CREATE', 'jobs', 'group', '$', 'MKSTREAM');
    const received = await workAtRandom(
      (caller) => (redis) =>
        redis.xreadgroup('GROUP', 'group', caller, 'COUNT', 1, 'BLOCK', 0, 'STREAMS', 'jobs', '>'),
      (element) => outside.xadd('jobs', '*', 'element', element),
      200,
    );
    const replies = received as [string, [string, string[]][]][][];
    const ids = replies.flatMap((streams) => streams.flatMap(([, entries]) => entries.map(([id]) => id)));
    const pending = (await outside.xpending('jobs', 'group', '-', '+', '1000')) as [string][];
    expect(ids.sort()).toEqual(pending.map(([id]) => id).sort());
    expect(pool.stats()).toMatchObject({ destroyed: 0 });
  });
});

describe(`Work that is ended from outside at random moments (seed ${SEED})`, () => {
  /** What many who block receive while `end` comes at some moment, and a producer works. */
  async function receivedUntil(
    first: number,
    blocked: Promise<unknown>[],
    end: () => unknown,
  ): Promise<unknown[]> {
    const settled = Promise.allSettled(blocked);
    const produced = (async () => {
      for (const element of numbersFrom(first, CALLERS)) {
        await outside.rpush('jobs', element);
        if (random() < 0.5) await sleep(random() * 2);
      }
    })();
    await sleep(random() * 6);
    await end();
    await produced;
    return (await settled).map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as unknown),
    );
  }

  /** Each element was received by one, or is left; whoever received none got an error with one of these codes. */
  async function expectNoneLost(outcomes: unknown[], count: number, ...codes: string[]) {
    const received = outcomes
      .filter((outcome) => Array.isArray(outcome))
      .map(([, element]) => element as string);
    const refused = outcomes.filter((outcome) => !Array.isArray(outcome));
    for (const error of refused) expect(codes).toContain((error as PoolError).code);
    const left = await outside.lrange('jobs', 0, -1);
    expect(sorted([...received, ...left])).toEqual(numbersFrom(0, count));
  }

  const ROUNDS = 25;

  it.each<[string, () => unknown, ...codes: string[]]>([
    ['endLongLivedWork()', () => pool.endLongLivedWork(), 'ERR_POOL_CLOSED'],
    ['drain()', () => pool.drain(), 'ERR_POOL_CLOSED'],
    // Its deadline may come before the server has ended what blocks.
    [
      'a drain that waits for nobody',
      () => pool.drain({ timeoutMs: 0 }),
      'ERR_POOL_CLOSED',
      'ERR_POOL_LEASE_BROKEN',
    ],
  ])(
    'loses nothing by %s',
    async (_what, end, ...codes) => {
      const outcomes: unknown[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        open();
        const blocked = numbersFrom(0, CALLERS).map(() => pool.commands.blpop('jobs', 0));
        outcomes.push(...(await receivedUntil(round * CALLERS, blocked, end)));
        await pool.drain();
      }
      await expectNoneLost(outcomes, ROUNDS * CALLERS, ...codes);
    },
    30_000,
  );

  it.each<[string, (leases: Lease<RedisConnection>[]) => unknown]>([
    ['lease.destroy()', (leases) => Promise.all(leases.map((lease) => lease.destroy()))],
    ['revoking leases', () => pool.drain({ timeoutMs: 1 })],
  ])(
    'loses nothing by %s',
    async (_what, end) => {
      const outcomes: unknown[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        open();
        const leases = await Promise.all(numbersFrom(0, CALLERS).map(() => pool.acquire()));
        const blocked = leases.map(({ resource }) => resource.blpop('jobs', 0));
        outcomes.push(...(await receivedUntil(round * CALLERS, blocked, () => end(leases))));
        await pool.drain();
      }
      await expectNoneLost(outcomes, ROUNDS * CALLERS, 'ERR_POOL_LEASE_BROKEN');
    },
    30_000,
  );
});

it('A blocking command that blocks for long is no leak', async () => {
  open({ leakThresholdMs: 20 });
  const events: PoolEvent[] = [];
  pool.events$.subscribe((event) => events.push(event));
  await expect(pool.commands.blpop('nothing', 0.2)).resolves.toBeNull();
  expect(events.map(({ type }) => type)).not.toContain('leaked');
  expect(events.map(({ type }) => type)).toContain('released');
});
