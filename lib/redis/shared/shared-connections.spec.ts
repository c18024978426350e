import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PoolHappening } from '../../core/pool.events.js';
import type { PoolStats } from '../../core/pool.stats.js';
import { fakeCommand, FakeRedisClient } from '../redis-client.fake.js';
import { SharedConnections } from './shared-connections.js';

const LIMITS = { acquireTimeoutMs: 1_000, createTimeoutMs: 2_000, destroyTimeoutMs: 500, maxWaiting: 2 };
const COMMAND_TIMEOUT_MS = 200;

/** Shared connections on fake clients, which the test leads. */
function shared(count = 1, makeClient = () => new FakeRedisClient(), introduce?: () => Promise<void>) {
  const clients: FakeRedisClient[] = [];
  const told: PoolHappening[] = [];
  const connections = new SharedConnections({
    pool: 'cache',
    count,
    limits: LIMITS,
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
    makeClient: () => {
      const client = makeClient();
      clients.push(client);
      return client.asRedis;
    },
    introduce,
    tell: (happening) => told.push(happening),
    stats: () => ({ max: 10 }) as PoolStats,
  });
  return { connections, clients, told };
}

/** The settled outcome of a promise, without waiting for one that is pending. */
async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = promise.then(
    (value) => value,
    (error: unknown) => error,
  );
  await jest.advanceTimersByTimeAsync(0);
  return Promise.race([outcome, Promise.resolve('pending')]);
}

describe('Shared connections', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  describe('are opened', () => {
    it('when the first caller comes, all of them', async () => {
      const { connections, clients } = shared(3);
      expect(connections.counts).toEqual({ shared: 0, creating: 0, closing: 0 });
      const waiting = connections.acquire();
      expect(connections.counts).toEqual({ shared: 0, creating: 3, closing: 0 });
      clients[1]?.becomeReady();
      await expect(waiting).resolves.toBe(clients[1]);
      expect(connections.counts).toEqual({ shared: 1, creating: 2, closing: 0 });
      await connections.drain(0);
    });

    it('outside the async context of that caller', async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const { connections, clients } = shared(1, () => {
        seen.push(storage.getStore());
        return new FakeRedisClient();
      });
      const waiting = storage.run('request', () => connections.acquire());
      clients[0]?.becomeReady();
      await waiting;
      expect(seen).toEqual([undefined]);
      await connections.drain(0);
    });

    it('again when ioredis has given up, first at once and then ever less often', async () => {
      const { connections, clients } = shared();
      const waiting = connections.acquire({ timeoutMs: 0 });
      clients[0]?.giveUp(new Error('no route'));
      await jest.advanceTimersByTimeAsync(50);
      expect(clients).toHaveLength(2);
      clients[1]?.becomeReady();
      await expect(waiting).resolves.toBe(clients[1]);
      expect(connections).toMatchObject({ created: 1, destroyed: 0 });
      await connections.drain(0);
    });

    it('again when a client cannot even be made; the callers hear why', async () => {
      const { connections, told } = shared(1, () => {
        throw new Error('no such option');
      });
      const waiting = connections.acquire();
      await jest.advanceTimersByTimeAsync(0);
      expect(told).toEqual([{ type: 'disconnected', cause: new Error('no such option') }]);
      const failed = expect(waiting).rejects.toMatchObject({
        code: 'ERR_POOL_TIMEOUT',
        reason: 'create-failing',
        cause: new Error('no such option'),
      });
      await jest.advanceTimersByTimeAsync(1_000);
      await failed;
      await connections.drain(0);
    });
  });

  describe('tell', () => {
    it('that none can be used, for each try that fails, and that one can again', async () => {
      const { connections, clients, told } = shared(2);
      const news = () => told.splice(0).filter(({ type }) => type.endsWith('connected'));
      const waiting = connections.acquire();
      clients[0]?.lose(new Error('refused'));
      expect(news()).toEqual([{ type: 'disconnected', cause: new Error('refused') }]);
      clients[1]?.becomeReady();
      clients[0]?.becomeReady();
      await waiting;
      expect(news()).toEqual([{ type: 'connected' }]);
      clients[0]?.lose();
      expect(news()).toEqual([]);
      clients[1]?.lose(new Error('reset'));
      clients[1]?.lose(new Error('refused'));
      clients[1]?.becomeReady();
      expect(news()).toMatchObject([
        { type: 'disconnected' },
        { type: 'disconnected' },
        { type: 'connected' },
      ]);
      await connections.drain(0);
      expect(news()).toEqual([]);
    });
  });

  describe('serve', () => {
    it('the least busy connection that is ready', async () => {
      const { connections, clients } = shared(3);
      const waiting = connections.acquire();
      for (const client of clients) client.becomeReady();
      await waiting;
      clients[0]?.owe(fakeCommand('get'));
      clients[0]?.owe(fakeCommand('get'));
      clients[1]?.owe(fakeCommand('get'));
      expect(connections.ready).toBe(clients[2]);
      clients[2]?.lose();
      expect(connections.ready).toBe(clients[1]);
      for (const client of clients) client.commandQueue.length = 0;
      await connections.drain(0);
    });

    it('another one than that which others overtake: it is in the middle of a large reply', async () => {
      const { connections, clients } = shared(2);
      const waiting = connections.acquire();
      for (const client of clients) client.becomeReady();
      await waiting;
      clients[0]?.owe(fakeCommand('get'));
      for (const name of ['one', 'two', 'three']) clients[1]?.owe(fakeCommand(name));
      expect(connections.ready).toBe(clients[0]);
      clients[1]?.commandQueue.shift();
      expect(connections.ready).toBe(clients[1]);
      clients[1]?.lose();
      expect(connections.ready).toBe(clients[0]);
      for (const client of clients) client.commandQueue.length = 0;
      await connections.drain(0);
    });

    it('nobody before the server was asked what it is to be asked, by the next connection if one is lost over that', async () => {
      const answers: { resolve: () => void; reject: (error: Error) => void }[] = [];
      const introduce = () => new Promise<void>((resolve, reject) => void answers.push({ resolve, reject }));
      const { connections, clients } = shared(1, undefined, introduce);
      const waiting = connections.acquire();
      clients[0]?.becomeReady();
      expect(await outcomeOf(waiting)).toBe('pending');
      clients[0]?.lose();
      answers[0]?.reject(new Error('lost'));
      clients[0]?.becomeReady();
      expect(await outcomeOf(waiting)).toBe('pending');
      answers[1]?.resolve();
      expect(await outcomeOf(waiting)).toBe(clients[0]);
      clients[0]?.lose();
      clients[0]?.becomeReady();
      expect(connections.ready).toBe(clients[0]);
      expect(answers).toHaveLength(2);
      await connections.drain(0);
    });

    it('callers in the order in which they came, and let nobody overtake them', async () => {
      const { connections, clients } = shared();
      const order: string[] = [];
      const callers = ['first', 'second'].map(async (name) => {
        await connections.acquire();
        order.push(name);
      });
      const [client] = clients;
      if (client !== undefined) client.status = 'ready'; // ioredis says so before it tells
      expect(connections.ready).toBeUndefined();
      client?.becomeReady();
      expect(connections.ready).toBe(client);
      await Promise.all(callers);
      expect(order).toEqual(['first', 'second']);
      await connections.drain(0);
    });
  });

  describe('refuse a caller', () => {
    it('at its deadline, with what is wrong with the server', async () => {
      const { connections, clients } = shared();
      const waiting = connections.acquire();
      clients[0]?.lose(new Error('connect ECONNREFUSED'));
      await jest.advanceTimersByTimeAsync(999);
      expect(await outcomeOf(waiting)).toBe('pending');
      await jest.advanceTimersByTimeAsync(1);
      expect(await outcomeOf(waiting)).toMatchObject({
        code: 'ERR_POOL_TIMEOUT',
        reason: 'create-failing',
        cause: new Error('connect ECONNREFUSED'),
        stats: { max: 10 },
      });
      expect(connections.timeouts).toBe(1);
      await connections.drain(0);
    });

    it('at once when the server is away and maxWaiting callers wait for it', async () => {
      const { connections, clients } = shared();
      const waiting = [connections.acquire(), connections.acquire(), connections.acquire()];
      clients[0]?.lose(new Error('connect ECONNREFUSED'));
      await expect(connections.acquire()).rejects.toMatchObject({ code: 'ERR_POOL_QUEUE_FULL' });
      clients[0]?.becomeReady();
      await Promise.all(waiting);
      await connections.drain(0);
    });

    it('when its signal aborts', async () => {
      const { connections } = shared();
      const controller = new AbortController();
      const waiting = connections.acquire({ signal: controller.signal });
      controller.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
      await expect(connections.acquire({ signal: controller.signal })).rejects.toThrow('enough');
      await connections.drain(0);
    });
  });

  it('drop a server that accepts a connection and then says nothing', async () => {
    const { connections, clients } = shared();
    const started = outcomeOf(connections.start(5_000));
    clients[0]?.moveTo('connect');
    clients[0]?.owe(fakeCommand('hello'));
    await jest.advanceTimersByTimeAsync(2_000);
    expect(clients[0]?.status).toBe('reconnecting');
    expect(connections.cause).toEqual(
      new Error('the server accepted the connection and did not answer within 2000 ms'),
    );
    clients[0]?.becomeReady();
    await started;
    await connections.drain(0);
  });

  it('wait for a server that is loading its data', async () => {
    const { connections, clients } = shared();
    const started = outcomeOf(connections.start(10_000));
    clients[0]?.moveTo('connect');
    await jest.advanceTimersByTimeAsync(5_000);
    expect(clients[0]?.status).toBe('connect');
    clients[0]?.owe(fakeCommand('info'));
    await jest.advanceTimersByTimeAsync(2_000);
    expect(clients[0]?.status).toBe('reconnecting');
    clients[0]?.becomeReady();
    await started;
    await connections.drain(0);
  });

  describe('start', () => {
    it('when all are ready', async () => {
      const { connections, clients } = shared(2);
      const started = connections.start(1_000);
      clients[0]?.becomeReady();
      expect(await outcomeOf(started)).toBe('pending');
      clients[1]?.becomeReady();
      expect(await outcomeOf(started)).toBeUndefined();
      await connections.drain(0);
    });

    it('or fail in time with the real cause', async () => {
      const { connections, clients } = shared(2);
      const started = outcomeOf(connections.start(1_000));
      const failed = connections.start(1_000).catch((error: unknown) => error);
      clients[0]?.becomeReady();
      clients[1]?.lose(new Error('WRONGPASS'));
      await jest.advanceTimersByTimeAsync(1_000);
      await started;
      expect(await failed).toMatchObject({ code: 'ERR_POOL_UNAVAILABLE', cause: new Error('WRONGPASS') });
      await connections.drain(0);
    });

    it('or fail at once when the pool is drained meanwhile', async () => {
      const { connections } = shared();
      const failed = connections.start(1_000).catch((error: unknown) => error);
      await connections.drain(0);
      expect(await failed).toMatchObject({ code: 'ERR_POOL_CLOSED' });
    });

    it('never after a drain, and nothing is opened', async () => {
      const { connections, clients } = shared();
      await connections.drain(0);
      await expect(connections.start(1_000)).rejects.toMatchObject({ code: 'ERR_POOL_CLOSED' });
      expect(clients).toEqual([]);
    });
  });

  describe('drain', () => {
    it('refuses new callers at once and closes when the server has said goodbye', async () => {
      const { connections, clients } = shared();
      const waiting = connections.acquire();
      clients[0]?.becomeReady();
      await waiting;
      const drained = connections.drain(1_000);
      await expect(connections.acquire()).rejects.toMatchObject({ code: 'ERR_POOL_CLOSED' });
      expect(await drained).toMatchObject({
        clean: true,
        served: 0,
        rejected: 0,
        closed: 1,
        closeFailures: 0,
      });
      expect(clients[0]?.status).toBe('end');
      expect(connections.counts).toEqual({ shared: 0, creating: 0, closing: 0 });
    });

    it('lets what is in flight finish until the time is up', async () => {
      const { connections, clients } = shared();
      const waiting = connections.acquire();
      const [client] = clients;
      client?.becomeReady();
      await waiting;
      if (client !== undefined) client.onQuit = () => new Promise(() => undefined);
      const drained = connections.drain(1_000);
      await turn();
      await jest.advanceTimersByTimeAsync(999);
      expect(client?.status).toBe('ready');
      expect(connections.counts).toEqual({ shared: 0, creating: 0, closing: 1 });
      await jest.advanceTimersByTimeAsync(1);
      expect(await drained).toMatchObject({ clean: false, closed: 1 });
      expect(client?.status).toBe('end');
    });

    it('waits for a lost connection only when answers are owed on it', async () => {
      const { connections, clients } = shared(2);
      const waiting = connections.acquire();
      for (const client of clients) client.becomeReady();
      await waiting;
      clients[0]?.owe(fakeCommand('get'));
      for (const client of clients) client.lose();
      const drained = connections.drain(1_000);
      await turn();
      expect(await outcomeOf(drained)).toBe('pending');
      clients[0]?.becomeReady();
      expect(await drained).toMatchObject({ clean: true, closed: 2 });
    });

    it('says no goodbye over a socket that is gone and has not said so, and waits for the next', async () => {
      const { connections, clients } = shared();
      const waiting = connections.acquire();
      const [client] = clients;
      client?.becomeReady();
      await waiting;
      client?.owe(fakeCommand('get'));
      client!.stream.writable = false;
      const goodbye = jest.spyOn(client!, 'onQuit');
      const drained = connections.drain(1_000);
      await turn();
      await turn(); // the first is for those who were served
      expect(await outcomeOf(drained)).toBe('pending');
      expect(goodbye).not.toHaveBeenCalled();
      client?.lose();
      client!.stream.writable = true;
      client?.becomeReady();
      expect(await drained).toMatchObject({ clean: true, closed: 1 });
      expect(goodbye).toHaveBeenCalledTimes(1);
    });

    it('does not wait for a greeting that was never answered', async () => {
      const { connections, clients } = shared();
      const refused = connections.acquire({ timeoutMs: 10 }).catch((error: unknown) => error);
      clients[0]?.moveTo('connect');
      clients[0]?.owe(fakeCommand('hello'));
      clients[0]?.lose();
      await jest.advanceTimersByTimeAsync(10);
      expect(await refused).toMatchObject({ code: 'ERR_POOL_TIMEOUT' });
      expect(await connections.drain(1_000)).toMatchObject({ clean: true, closed: 0 });
    });

    it('serves those who wait if the server comes back in time, and refuses them if not', async () => {
      const back = shared();
      const served = back.connections.acquire();
      const drainedBack = back.connections.drain(500);
      back.clients[0]?.becomeReady();
      await expect(served).resolves.toBe(back.clients[0]);
      expect(await drainedBack).toMatchObject({ clean: true, served: 1, rejected: 0 });

      const away = shared();
      const refused = away.connections.acquire().catch((error: unknown) => error);
      const drainedAway = away.connections.drain(500);
      await jest.advanceTimersByTimeAsync(500);
      expect(await refused).toMatchObject({ code: 'ERR_POOL_CLOSED' });
      expect(await drainedAway).toMatchObject({ clean: false, served: 0, rejected: 1 });
    });
  });
});
