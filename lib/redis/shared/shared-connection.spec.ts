import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ReplyError } from 'ioredis';
import { Changes } from '../../core/changes.js';
import { Answers } from './head-of-line.js';
import { fakeCommand, FakeRedisClient } from '../redis-client.fake.js';
import { SharedConnection } from './shared-connection.js';

/** A connection on a fake client that is ready. */
function connected() {
  const client = new FakeRedisClient();
  const connection = new SharedConnection(client.asRedis, {
    pool: 'cache',
    changes: new Changes(),
    answers: new Answers(),
    greetingTimeoutMs: 2_000,
    commandTimeoutMs: 1_000,
  });
  client.becomeReady();
  return { client, connection };
}

/** Lets a client wait for the replies of these commands. */
function owe(client: FakeRedisClient, ...names: string[]) {
  const commands = names.map((name) => fakeCommand(name, 'secret'));
  for (const command of commands) client.owe(command);
  return commands;
}

const namesOf = (client: FakeRedisClient) => client.commandQueue.map(({ command }) => command.name);

const unavailable = (words: string) => ({
  code: 'ERR_POOL_UNAVAILABLE',
  message: expect.stringMatching(`^\\[pool "cache"\\] ${words}(?!.*secret)`) as unknown,
});

describe('A shared connection', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.clearAllTimers();
    jest.useRealTimers();
  });

  describe('fails a command that takes too long', () => {
    it('and keeps its place while the server goes on talking, for its reply still comes', () => {
      const { client } = connected();
      const [get] = owe(client, 'get');
      for (let ms = 0; ms < 1_100; ms += 100) {
        client.stream.bytesRead += 1;
        jest.advanceTimersByTime(100);
      }
      expect(get?.error).toMatchObject(
        unavailable('GET was not answered within 1000 ms: the server is busy'),
      );
      expect(client.status).toBe('ready');
      expect(namesOf(client)).toEqual(['get']);
    });

    it('and leaves a server that says nothing; what has time left is sent again, what has not is forgotten', () => {
      const { client } = connected();
      const [late] = owe(client, 'get');
      jest.advanceTimersByTime(600);
      const [inTime] = owe(client, 'set');
      jest.advanceTimersByTime(500);
      expect(late?.error).toMatchObject(unavailable('GET was not answered within 1000 ms: nothing came'));
      expect(client.status).toBe('reconnecting');
      client.becomeReady();
      expect(inTime?.isSettled).toBe(false);
      expect(namesOf(client)).toEqual(['set']);
    });

    it('with what is wrong with the server while it cannot be reached, and never sends it', () => {
      const { client } = connected();
      const [get] = owe(client, 'get');
      client.lose(new Error('connect ECONNREFUSED'));
      jest.advanceTimersByTime(1_100);
      expect(get?.error).toMatchObject({ cause: new Error('connect ECONNREFUSED') });
      client.becomeReady();
      expect(namesOf(client)).toEqual([]);
    });
  });

  it('forgets all of a pipeline of which a part was settled, for ioredis would wait for the rest before it writes', () => {
    const { client } = connected();
    const pipeline = {};
    const [first, second] = [fakeCommand('get'), fakeCommand('set')];
    for (const command of [first, second]) client.owe(command, pipeline);
    owe(client, 'ping');
    second.reject(new Error('Command timed out'));
    client.lose();
    expect(first.error).toMatchObject(unavailable('the connection was lost before GET was answered'));
    client.becomeReady();
    expect(namesOf(client)).toEqual(['ping']);
  });

  describe('translates the errors of ioredis', () => {
    it('when it gives up, with the cause', () => {
      const { client } = connected();
      const [get] = owe(client, 'get');
      client.emit('error', new Error('connect ECONNREFUSED'));
      client.flushQueue(new Error('Reached the max retries per request limit'));
      expect(get?.error).toMatchObject({
        ...unavailable('the connection was lost before GET was answered: connect ECONNREFUSED'),
        cause: new Error('connect ECONNREFUSED'),
      });
    });

    it('when it gives up after it was connected for a moment, and overlooks what it wanted to send again', () => {
      const { client } = connected();
      const [get] = owe(client, 'get');
      client.lose();
      client.moveTo('connect');
      client.lose(new Error('read ECONNRESET'));
      client.flushQueue(Object.assign(new Error(), { name: 'MaxRetriesPerRequestError' }));
      expect(get?.error).toMatchObject(unavailable('the connection was lost before GET was answered'));
      client.becomeReady();
      expect(namesOf(client)).toEqual([]);
    });

    it('when it forgets what it wanted to send again', () => {
      const { client } = connected();
      const [get] = owe(client, 'get');
      client.lose();
      client.moveTo('connect');
      client.moveTo('end');
      expect(get?.error).toMatchObject(unavailable('the connection was lost before GET was answered'));
    });

    it('when it is asked for something after its end', () => {
      const { client } = connected();
      client.giveUp(new Error('no route'));
      const get = fakeCommand('get');
      client.asRedis.sendCommand(get as never);
      expect(get.error).toMatchObject(
        unavailable('the connection was lost before GET was answered: no route'),
      );
    });

    it('when the pool closes it', async () => {
      const { client, connection } = connected();
      const [get] = owe(client, 'get');
      await connection.close(1_000);
      expect(get?.error).toMatchObject({ code: 'ERR_POOL_CLOSED' });
    });

    it('but not what the server says', () => {
      const { client } = connected();
      const [get] = owe(client, 'get');
      client.lose();
      const error = new (ReplyError as new (message: string) => Error)('WRONGTYPE');
      get?.reject(error);
      expect(get?.error).toBe(error);
    });
  });
});
