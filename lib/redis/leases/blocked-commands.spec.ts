import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Command } from 'ioredis';
import { blockedCommands, unblock } from './blocked-commands.js';
import type { Messenger } from './other-connections.js';
import { FakeRedisClient } from '../redis-client.fake.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const UNBLOCKED = new Error('UNBLOCKED client unblocked via CLIENT UNBLOCK');
const reason = new Error('changed my mind');
const blocks = ({ name }: Command) => name === 'blpop';

/** A client with these commands in flight, and somebody who tells the server to unblock it; `onTold` is what the server does. */
function aClient(names: string[], onTold: (client: FakeRedisClient, times: number) => boolean) {
  const client = new FakeRedisClient();
  const commands = names.map((name) => new Command(name, ['key']));
  for (const command of commands) client.commandQueue.push({ command });
  let times = 0;
  const tell = jest.fn<Messenger['tell']>(() => Promise.resolve(onTold(client, (times += 1))));
  const messenger: Messenger = { tell, done: () => true };
  const end = (id: Promise<unknown> = Promise.resolve(7)) =>
    unblock(client.asRedis, { id, blocks, messenger, reason, timeoutMs: 1_000 });
  const outcomes = Promise.all(
    commands.map(({ promise }) => (promise as Promise<unknown>).catch((error: unknown) => error)),
  );
  return { client, tell, end, outcomes };
}

function answer(client: FakeRedisClient, reply: Error | string): void {
  const { command } = client.commandQueue.shift() ?? {};
  if (reply instanceof Error) command?.reject?.(reply);
  else command?.resolve?.(reply);
}

describe('unblock', () => {
  it('ends the command that blocks, by the id of its connection', async () => {
    const { tell, end, outcomes } = aClient(['blpop'], (client) => {
      answer(client, UNBLOCKED);
      return true;
    });
    await end();
    await expect(outcomes).resolves.toEqual([reason]);
    expect(tell.mock.calls).toEqual([[['CLIENT', 'UNBLOCK', '7', 'ERROR'], 1_000]]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('says it again, until it does not overtake the command any more', async () => {
    const { tell, end, outcomes } = aClient(['blpop'], (client, times) => {
      if (times === 4) answer(client, UNBLOCKED);
      return true;
    });
    const ended = end();
    await jest.advanceTimersByTimeAsync(100);
    await ended;
    await expect(outcomes).resolves.toEqual([reason]);
    expect(tell).toHaveBeenCalledTimes(4);
  });

  it('goes on until nothing blocks, and leaves other replies and errors alone', async () => {
    const wrong = new Error('WRONGTYPE');
    const replies = [UNBLOCKED, 'value', 'element', wrong];
    const { client, end, outcomes } = aClient(['blpop', 'get', 'blpop', 'blpop'], () => {
      answer(client, replies.shift()!);
      if (replies.length === 3) answer(client, replies.shift()!);
      return true;
    });
    await end();
    await expect(outcomes).resolves.toEqual([reason, 'value', 'element', wrong]);
  });

  it('gives up when the time is over', async () => {
    const { client, end } = aClient(['blpop'], () => true);
    const ended = end();
    await jest.advanceTimersByTimeAsync(1_100);
    await ended;
    expect(blockedCommands(client.asRedis, blocks)).toHaveLength(1);
  });

  it('says it a few times although the time is over, for this process was too busy to say it before', async () => {
    const { tell, end, outcomes } = aClient(['blpop'], (client, times) => {
      jest.advanceTimersByTime(5_000); // as a process does that blocks its event loop
      if (times === 3) answer(client, UNBLOCKED);
      return true;
    });
    const ended = end();
    await jest.advanceTimersByTimeAsync(100);
    await ended;
    await expect(outcomes).resolves.toEqual([reason]);
    expect(tell).toHaveBeenCalledTimes(3);
  });

  it('gives up when the server does not hear it', async () => {
    const { tell, end } = aClient(['blpop'], () => false);
    const ended = end();
    await jest.advanceTimersByTimeAsync(10);
    await ended;
    expect(tell).toHaveBeenCalledTimes(1);
  });

  it('says nothing where the server does not tell the id, or nothing blocks', async () => {
    const { tell, end } = aClient(['blpop'], () => true);
    await end(Promise.reject(new Error('NOPERM')));
    const idle = aClient(['get'], () => true);
    await idle.end();
    expect(tell).not.toHaveBeenCalled();
    expect(idle.tell).not.toHaveBeenCalled();
  });
});
