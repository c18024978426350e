import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { filter, firstValueFrom } from 'rxjs';
import { PoolUnavailableError } from '../../lib/core/pool.errors.js';
import type { PoolEvent } from '../../lib/core/pool.events.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { startRedisServer, type RedisServer, type RedisServerOptions } from '../../scripts/redis-server.mjs';
import { eventually } from '../support/eventually.js';
import { answering, standIn } from '../support/stand-in-server.js';

type Options = Omit<RedisPoolOptions, 'type'>;

const pools: RedisPool[] = [];
const ends: (() => unknown)[] = [];
const warnings: string[] = [];

function poolOf(options: Options, name = 'cache'): RedisPool {
  const pool = new RedisPool(name, { type: 'redis', ...options });
  pool.events$.subscribe((event: PoolEvent) => {
    if (event.type === 'warned') warnings.push(event.message);
  });
  pools.push(pool);
  return pool;
}

async function serverOf(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedisServer(options);
  ends.push(() => server.stop());
  return server;
}

/** The options for something that is no server as the pool wants one. */
async function standInOf(...talk: Parameters<typeof standIn>): Promise<Options> {
  const server = await standIn(...talk);
  ends.push(() => server.stop());
  return { connection: { port: server.port } };
}

/** Gives orders to a server that the test cannot give through a pool. */
async function order({ url }: RedisServer, ...words: string[]): Promise<void> {
  const redis = new Redis(url);
  await redis.call(words[0]!, ...words.slice(1));
  redis.disconnect();
}

/** Starts a pool that has tried to connect in vain, and so knows why, however long that took on this machine. */
async function startInVain(pool: RedisPool): Promise<void> {
  const hasFailed = ({ type }: PoolEvent) => type === 'disconnected' || type === 'create-failed';
  const failed = firstValueFrom(pool.events$.pipe(filter(hasFailed)));
  pool.start().catch(() => undefined); // it is asked again below
  await failed;
  await pool.start({ timeoutMs: 100 });
}

const refusing = (line: string) => standInOf((socket) => socket.end(`${line}\r\n`));

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.drain({ timeoutMs: 100 })));
  for (const end of ends.splice(0)) await end();
  warnings.length = 0;
});

const CAUSES: [what: string, options: () => Promise<Options>, meaning: string, original: RegExp][] = [
  [
    'the password is wrong',
    async () => ({ url: `redis://:wrong@127.0.0.1:${(await serverOf({ password: 'right' })).port}` }),
    'refuses this user or password',
    /^WRONGPASS /,
  ],
  [
    'the user is not known',
    async () => ({ url: `redis://nobody:wrong@127.0.0.1:${(await serverOf()).port}` }),
    'refuses this user or password',
    /^WRONGPASS /,
  ],
  [
    'the user is switched off',
    async () => {
      const server = await serverOf();
      await order(server, 'ACL', 'SETUSER', 'app', 'off', '>right', '+@all', '~*');
      return { url: `redis://app:right@127.0.0.1:${server.port}` };
    },
    'that the user is not switched off',
    /^WRONGPASS /,
  ],
  [
    'a password is needed',
    async () => ({ url: `redis://127.0.0.1:${(await serverOf({ password: 'right' })).port}` }),
    'asks for a password',
    /^NOAUTH /,
  ],
  [
    'a password is needed, in RESP2',
    async () => ({
      connection: { port: (await serverOf({ password: 'right' })).port, protocol: 2 },
    }),
    'asks for a password',
    /^NOAUTH /,
  ],
  [
    'there is no such database',
    async () => ({ url: `${(await serverOf()).url}/99` }),
    'no such database',
    /^ERR DB index is out of range/,
  ],
  [
    'there is no such database, and the server is not asked whether it is ready',
    async () => ({ url: `${(await serverOf()).url}/99`, connection: { enableReadyCheck: false } }),
    'no such database',
    /^ERR DB index is out of range/,
  ],
  [
    'the user may not choose a database',
    async () => {
      const server = await serverOf();
      await order(server, 'ACL', 'SETUSER', 'app', 'on', '>right', '~*', '+@all', '-select');
      return { url: `redis://app:right@127.0.0.1:${server.port}/1` };
    },
    'may not choose a database',
    /^NOPERM /,
  ],
  [
    'the server has as many clients as it accepts',
    async () => {
      const server = await serverOf({ args: ['--maxclients', '1'] });
      const only = dial(server.port, '127.0.0.1').on('error', () => undefined);
      ends.push(() => only.destroy());
      only.write('PING\r\n');
      await once(only, 'data');
      return { url: server.url };
    },
    'as many clients as it accepts',
    /^ERR max number of clients reached/,
  ],
  [
    'the server is in protected mode',
    () => refusing('-DENIED Redis is running in protected mode because protected mode is enabled'),
    'protected mode',
    /^DENIED /,
  ],
  [
    'the server is of a time before users, and a user is given',
    async () => {
      const old = await standInOf(
        answering((name) => `-ERR unknown command \`${name}\`, with args beginning with: `),
      );
      return { connection: { ...old.connection, username: 'app', password: 'right' } };
    },
    'does not know what every Redis since 6 knows',
    /^ERR unknown command/,
  ],
  [
    'a web server listens there',
    () => standInOf((socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')),
    'does not speak the protocol of Redis',
    /^Unknown RESP type/,
  ],
  [
    'a web server is spoken to in TLS',
    async () => {
      const web = await standInOf((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      return { connection: { ...web.connection, tls: {} } };
    },
    'does not speak TLS at that port',
    /wrong version number/,
  ],
  [
    'the host is not found',
    () => Promise.resolve({ url: 'redis://no-such-host.invalid' }),
    'cannot be resolved',
    /ENOTFOUND|EAI_AGAIN/,
  ],
  [
    'there is no such socket',
    () => Promise.resolve({ url: 'unix:///no/such/redis.sock' }),
    'no such socket',
    /ENOENT/,
  ],
];

describe('start() says what is wrong, and what to do,', () => {
  describe.each(CAUSES)('when %s', (_what, options, meaning, original) => {
    it.each([
      ['shared connections', { shared: 1 }],
      ['leases', { shared: 0, min: 1 }],
      ['neither', { shared: 0 }],
    ])('opening %s', async (_how, limits) => {
      const started = startInVain(poolOf({ ...(await options()), ...limits }));
      await expect(started).rejects.toThrow(PoolUnavailableError);
      await expect(started).rejects.toMatchObject({
        message: expect.stringContaining(meaning) as unknown,
        cause: {
          message: expect.stringContaining(meaning) as unknown,
          cause: { message: expect.stringMatching(original) as unknown },
        },
      });
      await expect(started).rejects.not.toThrow(/right|wrong@/);
    });
  });

  it.each([
    ['shared connections', { shared: 1 }],
    ['leases', { shared: 0, min: 1 }],
  ])('when a Sentinel listens there, opening %s', async (_how, limits) => {
    const { port } = await serverOf({ args: ['--sentinel'] });
    const started = startInVain(poolOf({ connection: { port }, ...limits }));
    await expect(started).rejects.toThrow(/is a Sentinel, .* connection\.sentinels/);
  });

  it('while the server is loading', async () => {
    const info = 'loading:1\r\nloading_eta_seconds:1';
    const options = await standInOf(
      answering((name) => (name === 'info' ? `$${info.length}\r\n${info}` : '+OK')),
    );
    const pool = poolOf(options);
    const reason = () => pool.start({ timeoutMs: 50 }).catch(String);
    await eventually('it says so', async () => ((await reason()) ?? '').includes('still loading its data'));
  });
});

describe('A pool works, and warns,', () => {
  it('when the server is too old for RESP3', async () => {
    const info = 'redis_version:5.0.14\r\nloading:0';
    const answers: Record<string, string> = { info: `$${info.length}\r\n${info}`, get: '$5\r\nvalue' };
    const old = await standInOf(answering((name) => answers[name] ?? `-ERR unknown command \`${name}\``));
    const pool = poolOf(old);
    await pool.start();
    await expect(pool.commands.get('key')).resolves.toBe('value');
    expect(warnings).toEqual([expect.stringMatching(/older than Redis 6.* 5\.0\.14$/)]);
  });

  it('when the server is a node of a cluster', async () => {
    const { url } = await serverOf({ args: ['--cluster-enabled', 'yes'] });
    await poolOf({ url, min: 2 }).start();
    expect(warnings).toEqual([expect.stringMatching(/node of a cluster.*use the option cluster/)]);
  });

  it('when the server is a replica, unless that is meant', async () => {
    const { url } = await serverOf({ args: ['--replicaof', '127.0.0.1', '1'] });
    await poolOf({ url, connection: { readOnly: true } }).start();
    expect(warnings).toEqual([]);
    await poolOf({ url }).start();
    expect(warnings).toEqual([expect.stringMatching(/is a replica/)]);
  });

  it('when all pools of the process may open more than the server accepts, once, by whatever address they know it', async () => {
    const { port } = await serverOf({ args: ['--maxclients', '50'] });
    const [one, other] = [`redis://127.0.0.1:${port}`, `redis://localhost:${port}?family=4`];
    await poolOf({ url: one, max: 30 }, 'cache').start();
    const jobs = poolOf({ url: other, max: 20 }, 'jobs');
    await jobs.start();
    expect(warnings).toEqual([]);
    await poolOf({ url: one, max: 10 }, 'sessions').start();
    await poolOf({ url: one, max: 10 }, 'locks').start();
    expect(warnings).toEqual([
      expect.stringMatching(/60 connections .*"cache" 30, "jobs" 20, "sessions" 10\), .* 50 .*lower max/),
    ]);
  });

  it('and forgets the pools that are closed', async () => {
    const { url } = await serverOf({ args: ['--maxclients', '50'] });
    const first = poolOf({ url, max: 30 });
    await first.start();
    await first.drain();
    await poolOf({ url, max: 30 }).start();
    expect(warnings).toEqual([]);
  });

  it('when a resize asks for too much, as soon as it opens more', async () => {
    const { url } = await serverOf({ args: ['--maxclients', '50'] });
    const pool = poolOf({ url, max: 30 });
    await pool.start();
    pool.resize({ max: 80 });
    await pool.use((redis) => redis.ping());
    await eventually('a warning comes', () => warnings.length === 1);
    expect(warnings[0]).toContain('80 connections');
  });

  it('never when the server asks for no password, though one is given', async () => {
    const { port } = await serverOf();
    await poolOf({ url: `redis://:any@127.0.0.1:${port}` }).start();
    expect(warnings).toEqual([]);
  });
});
