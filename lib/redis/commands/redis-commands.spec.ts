import { describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { CommandKinds } from './command-kinds.js';
import type { CommandRouter } from './command-router.js';
import { redisCommands } from './redis-commands.js';
import type { RedisConnection } from '../redis-connection.js';

type Work = (connection: RedisConnection) => unknown;

interface Circumstances {
  ready?: boolean;
  failure?: Error;
  /** Commands of which the server has told that they block. */
  blocking?: string[];
}

/** Commands on a router that only tells where a command would go. */
function commandsOf({ ready = true, failure, blocking = [] }: Circumstances = {}) {
  const connection = { get: (...args: unknown[]) => Promise.resolve(args) };
  const answer = (where: string) =>
    jest.fn((work: Work) => (failure ? Promise.reject(failure) : Promise.resolve([where, work.length])));
  const kinds = new CommandKinds();
  kinds.learnBlocking(blocking);
  const router = {
    pool: 'cache',
    kinds,
    ready: ready
      ? new Proxy(connection, { get: (_, name) => () => Promise.resolve(['shared', name]) })
      : undefined,
    onAny: answer('any'),
    onItsOwn: answer('its own'),
  };
  const maker = new Redis({ lazyConnect: true, scripts: { twice: { lua: 'return 2', numberOfKeys: 0 } } });
  return redisCommands(router as unknown as CommandRouter, maker);
}

describe('commands', () => {
  it('has every command of ioredis, in both variants, and scripts', () => {
    const commands = commandsOf() as unknown as Record<string, unknown>;
    const names = [...new Redis({ lazyConnect: true }).getBuiltinCommands(), 'twice', 'call'];
    const missing = names
      .flatMap((name) => [name, `${name}Buffer`])
      .filter((name) => typeof commands[name] !== 'function');
    expect(missing).toEqual([]);
    expect(commands.pipeline).toBeInstanceOf(Function);
  });

  it('is an object whose functions need no this', async () => {
    const { get } = commandsOf(); // eslint-disable-line @typescript-eslint/unbound-method -- that is the point
    await expect(get('key')).resolves.toEqual(['shared', 'get']);
  });

  it('is no promise', () => {
    expect(commandsOf()).not.toHaveProperty('then');
  });

  describe('sends', () => {
    it('ordinary commands over a shared connection, by the method that was called', async () => {
      const commands = commandsOf();
      await expect(commands.getBuffer('key')).resolves.toEqual(['shared', 'getBuffer']);
      await expect(commands.call('GET', 'key')).resolves.toEqual(['shared', 'call']);
      await expect(commands.client('ID')).resolves.toEqual(['shared', 'client']);
      await expect(commands.xread('STREAMS', 'block', '0')).resolves.toEqual(['shared', 'xread']);
    });

    it('ordinary commands later, when none is ready', async () => {
      await expect(commandsOf({ ready: false }).get('key')).resolves.toEqual(['any', 1]);
      await expect(commandsOf({ ready: false }).client('ID')).resolves.toEqual(['any', 1]);
    });

    it('commands that block over a connection of their own', async () => {
      const commands = commandsOf();
      await expect(commands.blpop('list', 0)).resolves.toEqual(['its own', 1]);
      await expect(commands.brpopBuffer('list', 0)).resolves.toEqual(['its own', 1]);
      await expect(commands.call('BLPOP', 'list', 0)).resolves.toEqual(['its own', 1]);
      await expect(commands.call('blpop', ['list', 0])).resolves.toEqual(['its own', 1]);
      await expect(commands.xread('BLOCK', 0, 'STREAMS', 's', '$')).resolves.toEqual(['its own', 1]);
    });

    it('commands that block as the server says over a connection of their own, too', async () => {
      const commands = commandsOf({ blocking: ['new.blocking', 'lpop', 'cluster|wait', 'xread'] });
      await expect(commands.call('NEW.Blocking', 'list', 0)).resolves.toEqual(['its own', 1]);
      await expect(commands.lpop('list')).resolves.toEqual(['its own', 1]);
      await expect(commands.lpopBuffer('list')).resolves.toEqual(['its own', 1]);
      await expect(commands.cluster('INFO')).resolves.toEqual(['its own', 1]);
      await expect(commands.pipeline().get('a').call('new.blocking').exec()).resolves.toEqual(['its own', 1]);
      await expect(commands.xread('STREAMS', 's', '0')).resolves.toEqual(['shared', 'xread']);
      await expect(commands.get('key')).resolves.toEqual(['shared', 'get']);
    });
  });

  describe('refuses with a rejected promise, and without the arguments', () => {
    const refused = (name: string) => ({
      code: 'ERR_POOL_COMMAND_REFUSED',
      pool: 'cache',
      message: expect.stringMatching(
        new RegExp(`^\\[pool "cache"\\] ${name} is refused(?!.*secret).*use\\(`),
      ) as unknown,
    });

    it.each<[string, (commands: ReturnType<typeof commandsOf>) => Promise<unknown>]>([
      ['SELECT', (commands) => commands.select(1)],
      ['WATCH', (commands) => commands.watch('secret')],
      ['SUBSCRIBE', (commands) => commands.subscribe('secret')],
      ['AUTH', (commands) => commands.auth('secret')],
      ['EXEC', (commands) => commands.exec()],
      ['MULTI', (commands) => (commands as unknown as Redis).multi({ pipeline: false })],
      ['SELECT', (commands) => commands.call('Select', 1)],
      ['CLIENT SETNAME', (commands) => commands.client('SETNAME', 'secret')],
      ['CLIENT TRACKING', (commands) => commands.callBuffer('client', ['tracking', 'on'])],
      ['SCRIPT DEBUG', (commands) => commands.script('DEBUG', 'YES')],
      ['SELECT', (commands) => commands.pipeline().get('a').select(1).exec()],
      ['WATCH', (commands) => commands.multi().watch('secret').exec()],
      ['MULTI', (commands) => commands.pipeline().call('MULTI').get('a').exec()],
      ['DISCARD', (commands) => commands.multi().get('a').discard().exec()],
      ['CLIENT REPLY', (commands) => commands.pipeline([['client', 'reply', 'off']]).exec()],
    ])('%s', async (name, run) => {
      await expect(run(commandsOf())).rejects.toMatchObject(refused(name));
      await expect(run(commandsOf({ ready: false }))).rejects.toMatchObject(refused(name));
    });

    it('MONITOR, with other advice', async () => {
      await expect(commandsOf().call('MONITOR')).rejects.toThrow('make a client of your own');
    });
  });

  describe('tells callbacks, as ioredis does,', () => {
    const heard = (run: (callback: (error?: Error | null, reply?: unknown) => void) => Promise<unknown>) =>
      new Promise((resolve) => {
        run((...outcome) => resolve(outcome)).catch(() => undefined);
      });

    it('a reply', async () => {
      await expect(heard((callback) => commandsOf({ ready: false }).get('key', callback))).resolves.toEqual([
        null,
        ['any', 1],
      ]);
    });

    it('that there is no connection', async () => {
      const failure = new Error('nothing free');
      await expect(
        heard((callback) => commandsOf({ ready: false, failure }).get('key', callback)),
      ).resolves.toEqual([failure]);
    });

    it('a refusal', async () => {
      const refusal = [expect.objectContaining({ code: 'ERR_POOL_COMMAND_REFUSED' })];
      await expect(heard((callback) => commandsOf().select(1, callback))).resolves.toEqual(refusal);
      await expect(heard((callback) => commandsOf().pipeline().select(1).exec(callback))).resolves.toEqual(
        refusal,
      );
    });
  });

  describe('sends a pipeline', () => {
    it('over a connection of its own when something in it blocks', async () => {
      await expect(commandsOf().pipeline().get('a').blpop('list', 0).exec()).resolves.toEqual(['its own', 1]);
    });

    it('over any when what would block is inside a transaction', async () => {
      const commands = commandsOf({ ready: false });
      await expect(commands.multi().blpop('list', 0).exec()).resolves.toEqual(['any', 1]);
      await expect(
        commands.pipeline([['multi'], ['blpop', 'list', 0], ['exec'], ['get', 'a']]).exec(),
      ).resolves.toEqual(['any', 1]);
    });

    it('once, however often it is executed', () => {
      const pipeline = commandsOf({ ready: false }).pipeline().get('a');
      expect(pipeline.exec()).toBe(pipeline.exec());
    });

    it('nowhere when it is empty', async () => {
      await expect(
        commandsOf({ failure: new Error('not to be asked') })
          .pipeline()
          .exec(),
      ).resolves.toEqual([]);
    });
  });
});
