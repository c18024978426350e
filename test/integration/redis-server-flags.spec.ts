import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { fixedKindOf, kindOf } from '../../lib/redis/commands/command-rules.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { eventually } from '../support/eventually.js';
import { useRedisServer } from '../support/redis-server.js';

describe('The table of commands, held against a real server,', () => {
  const server = useRedisServer();
  let raw: Redis;

  beforeEach(() => {
    raw = new Redis(server.url);
  });

  afterEach(() => raw.quit());

  const inCategory = async (category: string) =>
    (await raw.call('COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', category)) as string[];

  /** The kind of a command, or subcommand, that has no further arguments. */
  const kindOfEntry = (entry: string) => {
    const [name = '', ...subcommand] = entry.split('|');
    return kindOf(name, subcommand);
  };

  const thatBlock = (kind: string | undefined) => kind === 'blocking' || kind === undefined;

  it('has every command that blocks, or lets its arguments decide', async () => {
    const blocking = await inCategory('blocking');
    expect(blocking).toContain('blpop');
    expect(blocking.filter((name) => !thatBlock(fixedKindOf(name)))).toEqual([]);
  });

  it('calls nothing blocking that this server calls harmless, but for WAIT and WAITAOF, which wait for replicas', async () => {
    const known = new Set((await raw.call('COMMAND', 'LIST')) as string[]);
    const blocking = new Set(await inCategory('blocking'));
    const tooStrict = [...known].filter((name) => fixedKindOf(name) === 'blocking' && !blocking.has(name));
    expect(['wait', 'waitaof']).toEqual(expect.arrayContaining(tooStrict));
  });

  it('refuses every command about the connection, but for those that change nothing', async () => {
    const harmless =
      /^(echo|ping|wait|command(\|.+)?|client\|(.*info|id|list|get.+|kill|(un)?pause|unblock|help))$/;
    const connection = await inCategory('connection');
    expect(connection.filter((entry) => !harmless.test(entry) && kindOfEntry(entry) !== 'stateful')).toEqual(
      [],
    );
    expect(connection.filter((entry) => harmless.test(entry) && kindOfEntry(entry) === 'stateful')).toEqual(
      [],
    );
  });

  it('refuses every subscription and every part of a transaction', async () => {
    const subscriptions = (await inCategory('pubsub')).filter((name) => name.endsWith('subscribe'));
    const parts = await inCategory('transaction');
    expect([subscriptions.length, parts.length]).toEqual([6, 5]);
    expect([...subscriptions, ...parts].filter((name) => kindOfEntry(name) !== 'stateful')).toEqual([]);
  });

  it('lets everything else share a connection', async () => {
    const special = new Set(
      await Promise.all(['blocking', 'connection', 'pubsub', 'transaction'].map(inCategory)).then((all) =>
        all.flat(),
      ),
    );
    const entries = ((await raw.call('COMMAND', 'LIST')) as string[]).filter((name) => !special.has(name));
    const refused = entries.filter((entry) => kindOfEntry(entry) !== 'ordinary').sort();
    // subcommands were looked at already; the replication protocol, debugging on a connection, and reading the traffic of all
    expect(['client', 'monitor', 'psync', 'replconf', 'script|debug', 'sync', 'waitaof']).toEqual(
      expect.arrayContaining(refused),
    );
  });
});

describe('A command that the server calls blocking', () => {
  // A server of today that has a command of tomorrow: BLPOP by another name, of which it tells under its old one.
  const server = useRedisServer({ args: ['--rename-command', 'BLPOP', 'NEW.BLOCKING'] });
  const pools: RedisPool[] = [];
  let raw: Redis;

  beforeEach(() => {
    raw = new Redis(server.url);
  });

  afterEach(() => raw.quit());

  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.drain({ timeoutMs: 100 })));
  });

  type Ask = (words: string[], ask: () => Promise<unknown>) => Promise<unknown>;

  /** A pool whose server answers COMMAND in another way. */
  function poolOf(answer: Ask, options: Omit<RedisPoolOptions, 'type'> = {}): RedisPool {
    const createClient: RedisPoolOptions['createClient'] = (given) => {
      const client = new Redis(given);
      const call = client.call.bind(client) as (...words: unknown[]) => Promise<unknown>;
      client.call = (...words: unknown[]) =>
        words[0] === 'COMMAND' ? answer(words as string[], () => call(...words)) : call(...words);
      return client;
    };
    const pool = new RedisPool('cache', {
      type: 'redis',
      url: server.url,
      createClient,
      commandTimeoutMs: 500,
      ...options,
    });
    pools.push(pool);
    return pool;
  }

  const today: Ask = async (_words, ask) => [...((await ask()) as string[]), 'new.blocking'];

  const yesterday: Ask = async ([, list], ask) => {
    if (list === 'LIST') return raw.call('COMMAND', 'NO-SUCH-SUBCOMMAND');
    const entries = (await ask()) as unknown[][];
    return entries.map(([name, ...rest]) => [name === 'blpop' ? 'new.blocking' : name, ...rest]);
  };

  it.each<[string, Ask, object]>([
    ['in the words of today', today, {}],
    ['in those of older servers', yesterday, {}],
    ['to leases alone', today, { shared: 0 }],
  ])(
    '%s gets a connection to itself, though it is the first command of all',
    async (_how, answer, options) => {
      const pool = poolOf(answer, options);
      const jobs = [
        pool.commands.call('NEW.BLOCKING', 'jobs', 0),
        pool.commands.pipeline().call('new.blocking', 'more-jobs', 0).exec(),
      ];
      await eventually('both block', async () => (await raw.info('clients')).includes('blocked_clients:2'));
      await expect(pool.commands.set('key', 'value')).resolves.toBe('OK');
      expect(pool.stats().leased).toBe(2);
      await new Promise((resolve) => setTimeout(resolve, 600)); // longer than a command may take
      await raw.rpush('jobs', 'job');
      await raw.rpush('more-jobs', 'job');
      await expect(Promise.all(jobs)).resolves.toEqual([['jobs', 'job'], [[null, ['more-jobs', 'job']]]]);
      await expect(pool.commands.call('NEW.BLOCKING', 'nothing', 0.01)).resolves.toBeNull();
    },
  );

  it('may be one that ioredis has a method for', async () => {
    const pool = poolOf((_words, ask) => ask().then((names) => [...(names as string[]), 'lpop']));
    await pool.start();
    let most = 0;
    const seen = pool.events$.subscribe(() => (most = Math.max(most, pool.stats().leased)));
    await raw.rpush('list', 'one');
    await expect(pool.commands.lpop('list')).resolves.toBe('one');
    seen.unsubscribe();
    expect(most).toBe(1);
  });

  it('is not known where the user may not ask, and nothing else is different', async () => {
    await raw.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', '-command');
    const pool = poolOf((_words, ask) => ask(), { connection: { username: 'app', password: 'secret' } });
    await expect(pool.commands.set('key', 'value')).resolves.toBe('OK');
    await expect(pool.commands.get('key')).resolves.toBe('value');
  });
});
