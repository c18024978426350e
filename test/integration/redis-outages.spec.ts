import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { LeaseBrokenError, PoolTimeoutError, PoolUnavailableError } from '../../lib/core/pool.errors.js';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';
import { eventually } from '../support/eventually.js';
import { useRedisServer } from '../support/redis-server.js';

const pools: RedisPool[] = [];
const servers: (RedisServer | Server)[] = [];

function poolOf(options: Omit<RedisPoolOptions, 'type'>): RedisPool {
  const pool = new RedisPool('cache', { type: 'redis', ...options });
  pools.push(pool);
  return pool;
}

async function serverOf(options?: Parameters<typeof startRedisServer>[0]): Promise<RedisServer> {
  const server = await startRedisServer(options);
  servers.push(server);
  return server;
}

/** A server that is no Redis, at a free port unless it is told which; its port. */
async function listen(answer: (socket: Socket) => void, port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    answer(socket);
  });
  server.on('close-all', () => sockets.forEach((socket) => socket.destroy()));
  servers.push(server);
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port at which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.drain({ timeoutMs: 100 })));
  for (const server of servers.splice(0)) {
    if ('stop' in server) await server.stop();
    else {
      server.emit('close-all');
      server.close();
    }
  }
});

const CAUSES: [what: string, options: () => Promise<Omit<RedisPoolOptions, 'type'>>, cause: RegExp][] = [
  ['nobody listens there', async () => ({ url: `redis://127.0.0.1:${await deadPort()}` }), /ECONNREFUSED/],
  [
    'the password is wrong',
    async () => {
      const { port } = await serverOf({ password: 'right' });
      return { url: `redis://:wrong@127.0.0.1:${port}` };
    },
    /WRONGPASS/,
  ],
  [
    'there is no password and there must be one',
    async () => ({ url: `redis://127.0.0.1:${(await serverOf({ password: 'right' })).port}` }),
    /NOAUTH/,
  ],
  [
    'a server that does not speak TLS is spoken to in TLS',
    async () => ({ url: (await serverOf()).url.replace('redis:', 'rediss:') }),
    /does not answer the TLS handshake/,
  ],
  [
    'it is no Redis, but something that talks',
    async () => ({
      connection: { port: await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')) },
    }),
    /Unknown RESP type/,
  ],
  [
    'it is no Redis, but something that hangs up',
    async () => ({ connection: { port: await listen((socket) => socket.end()) } }),
    /closed the connection before it answered/,
  ],
  [
    'it is no Redis, but something that says nothing',
    async () => ({ connection: { port: await listen(() => undefined) } }),
    /accepted the connection and does not answer/,
  ],
];

describe('start()', () => {
  describe.each(CAUSES)('when %s', (_what, options, cause) => {
    it.each([
      ['shared connections', { shared: 1 }],
      ['leases', { shared: 0, min: 1 }],
      ['neither', { shared: 0 }],
    ])(
      'fails in time with that as its cause, opening %s; drain() leaves nothing behind',
      async (_how, limits) => {
        const pool = poolOf({ ...(await options()), ...limits });
        const message = () => pool.start({ timeoutMs: 100 }).then(() => 'started', String);
        await eventually('the cause is known, however slow the machine is', async () =>
          cause.test(await message()),
        );
        const started = pool.start({ timeoutMs: 100 });
        await expect(started).rejects.toThrow(PoolUnavailableError);
        await expect(started).rejects.toMatchObject({
          pool: 'cache',
          message: expect.stringMatching(cause) as unknown,
          cause: { message: expect.stringMatching(cause) as unknown },
        });
        await pool.drain({ timeoutMs: 100 });
        expect(pool.stats().size).toBe(0);
      },
    );
  });

  it('waits for a server that comes up in time', async () => {
    const port = await deadPort();
    const pool = poolOf({ url: `redis://127.0.0.1:${port}`, min: 1, max: 3, shared: 2 });
    const started = pool.start();
    await serverOf({ port });
    await started;
    expect(pool.stats()).toMatchObject({ shared: 2, idle: 1 });
  });

  it('fails when the pool is drained meanwhile', async () => {
    const pool = poolOf({ url: `redis://127.0.0.1:${await deadPort()}` });
    const started = pool.start();
    await Promise.all([expect(started).rejects.toMatchObject({ code: 'ERR_POOL_CLOSED' }), pool.drain()]);
  });
});

describe('A command, when there is no server', () => {
  it.each([
    ['shared connections', { shared: 1 }],
    ['leases', { shared: 0 }],
  ])('is refused at its deadline with the real cause, over %s', async (_how, limits) => {
    const pool = poolOf({ url: `redis://127.0.0.1:${await deadPort()}`, acquireTimeoutMs: 600, ...limits });
    for (const refused of [pool.commands.get('key'), pool.commands.multi().get('key').exec(), pool.ping()]) {
      await expect(refused).rejects.toThrow(PoolTimeoutError);
      await expect(refused).rejects.toMatchObject({
        reason: 'create-failing',
        cause: { code: 'ECONNREFUSED' },
        stats: { max: 10 },
      });
    }
    expect(pool.stats()).toMatchObject({ waiting: 0, timeouts: 3 });
  });
});

describe('When the server is killed and comes back', () => {
  const port = { of: (server: RedisServer) => ({ port: server.port }) };

  it('a lease that was in use is broken, and the pool is refilled', async () => {
    const server = await serverOf();
    const pool = poolOf({ url: server.url, min: 1, max: 3 });
    await pool.start();
    const used = pool.use(async (redis) => {
      server.kill('SIGKILL');
      await redis.blpop('nothing', 0);
    });
    await expect(used).rejects.toThrow(LeaseBrokenError);
    await server.exited;
    await serverOf(port.of(server));
    await expect(pool.use((redis) => redis.set('key', 'value'))).resolves.toBe('OK');
    await pool.start();
    expect(pool.stats()).toMatchObject({ shared: 1, idle: 1, size: 2 });
  });

  it('shared connections reconnect, and callers who came meanwhile are served', async () => {
    const server = await serverOf();
    const pool = poolOf({ url: server.url, shared: 2 });
    await pool.start();
    server.kill('SIGKILL');
    await eventually('the loss is noticed', () => pool.stats().shared === 0);
    const meanwhile = pool.commands.set('key', 'value');
    expect(pool.stats()).toMatchObject({ shared: 0, creating: 2, waiting: 1 });
    await server.exited;
    await serverOf(port.of(server));
    await expect(meanwhile).resolves.toBe('OK');
    await pool.start();
    expect(pool.stats()).toMatchObject({ shared: 2, size: 2 });
  });

  it('commands in flight are sent again over the shared connection', async () => {
    const server = await serverOf();
    const pool = poolOf({ url: server.url });
    await pool.start();
    server.kill('SIGSTOP');
    const inFlight = pool.commands.set('key', 'value');
    server.kill('SIGKILL');
    await server.exited;
    await serverOf(port.of(server));
    await expect(inFlight).resolves.toBe('OK');
  });

  it('commands in flight are failed if it does not', async () => {
    const server = await serverOf();
    const pool = poolOf({ url: server.url, connection: { retryStrategy: () => 5, maxRetriesPerRequest: 2 } });
    await pool.start();
    server.kill('SIGSTOP');
    const inFlight = pool.commands.set('key', 'value');
    server.kill('SIGKILL');
    await expect(inFlight).rejects.toMatchObject({
      code: 'ERR_POOL_UNAVAILABLE',
      message: expect.stringContaining('the connection was lost before SET was answered') as unknown,
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('commands in flight are failed if what listens there hangs up time and again, without a deadline of their own', async () => {
    const server = await serverOf();
    const connection = { retryStrategy: () => 20, maxRetriesPerRequest: 9 };
    const pool = poolOf({ url: server.url, commandTimeoutMs: 0, connection });
    await pool.start();
    server.kill('SIGSTOP');
    const inFlight = pool.commands.set('key', 'value');
    server.kill('SIGKILL');
    await server.exited;
    await listen((socket) => socket.destroy(), server.port);
    await expect(inFlight).rejects.toMatchObject({
      code: 'ERR_POOL_UNAVAILABLE',
      message: expect.stringContaining('the connection was lost before SET was answered') as unknown,
    });
  });

  it('shared connections come back even if ioredis was told to give up', async () => {
    const server = await serverOf();
    const pool = poolOf({ url: server.url, connection: { retryStrategy: null } });
    await pool.start();
    server.kill('SIGKILL');
    await eventually('the loss is noticed', () => pool.stats().shared === 0);
    const meanwhile = pool.commands.set('key', 'value');
    await server.exited;
    await serverOf(port.of(server));
    await expect(meanwhile).resolves.toBe('OK');
  });
});

describe('When the server hangs', () => {
  const server = useRedisServer();

  afterEach(() => void server.kill('SIGCONT'));

  it.each([
    ['a shared connection', { shared: 1 }],
    ['a lease', { shared: 0 }],
  ])('a ping over %s fails in time', async (_how, limits) => {
    const pool = poolOf({ url: server.url, destroyTimeoutMs: 100, ...limits });
    await pool.ping();
    server.kill('SIGSTOP');
    await expect(pool.ping({ timeoutMs: 50 })).rejects.toMatchObject({
      code: 'ERR_POOL_UNAVAILABLE',
      message: expect.stringContaining('no answer to PING within 50 ms') as unknown,
    });
    const controller = new AbortController();
    const aborted = pool.ping({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
  });

  it('a drain ends in time, what was in flight fails, and everything is closed', async () => {
    const pool = poolOf({ url: server.url, min: 1, max: 3, destroyTimeoutMs: 200 });
    await pool.start();
    server.kill('SIGSTOP');
    const failures = [
      expect(pool.commands.get('key')).rejects.toMatchObject({ code: 'ERR_POOL_CLOSED' }),
      expect(pool.use((redis) => redis.get('key'))).rejects.toMatchObject({ code: 'ERR_POOL_LEASE_BROKEN' }),
    ];
    const report = await pool.drain({ timeoutMs: 50 });
    await Promise.all(failures);
    expect(report).toMatchObject({ clean: false, closed: 2, closeFailures: 0 });
    expect(report.revoked).toHaveLength(1);
    expect(pool.stats()).toMatchObject({ size: 0, state: 'closed' });
  });
});
