import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Command } from 'ioredis';
import { AnswerWatch } from './answer-watch.js';
import { fakeCommand, FakeRedisClient, type FakeCommand } from '../redis-client.fake.js';
import { Unanswered } from './unanswered.js';

/** A watch over a fake client; `names` collects the commands that were late. */
function watched(timeoutMs = 1_000) {
  const client = new FakeRedisClient();
  client.becomeReady();
  const names: string[] = [];
  const late = (commands: Command[]) => {
    for (const command of commands as unknown as FakeCommand[]) {
      names.push(command.name);
      command.isSettled = true;
    }
  };
  const unanswered = new Unanswered(client.asRedis, (error) => error);
  const watch = new AnswerWatch({ client: client.asRedis, unanswered, timeoutMs, late });
  return { client, watch, names };
}

describe('The watch over answers', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.clearAllTimers();
    jest.useRealTimers();
  });

  it('tells of commands that take too long, not earlier and at most a tenth later', () => {
    const { client, names } = watched();
    jest.advanceTimersByTime(12_345);
    client.owe(fakeCommand('get'));
    jest.advanceTimersByTime(500);
    client.owe(fakeCommand('set'));
    jest.advanceTimersByTime(500);
    expect(names).toEqual([]);
    jest.advanceTimersByTime(100);
    expect(names).toEqual(['get']);
    jest.advanceTimersByTime(500);
    expect(names).toEqual(['get', 'set']);
  });

  it('tells of each once, and of none that was answered in time', () => {
    const { client, names } = watched();
    client.owe(fakeCommand('get'));
    client.owe(fakeCommand('set'));
    jest.advanceTimersByTime(900);
    client.commandQueue.shift();
    jest.advanceTimersByTime(5_000);
    expect(names).toEqual(['set']);
  });

  it('goes on counting when a command is sent again over a new connection', () => {
    const { client, names } = watched();
    client.owe(fakeCommand('get'));
    jest.advanceTimersByTime(600);
    client.lose();
    jest.advanceTimersByTime(200);
    client.becomeReady();
    jest.advanceTimersByTime(300);
    expect(names).toEqual(['get']);
  });

  it('does not count the time in which this process was too busy to read answers', () => {
    const { client, names } = watched();
    client.owe(fakeCommand('get'));
    jest.advanceTimersByTime(100);
    jest.setSystemTime(Date.now() + 60_000); // as if the event loop had been blocked
    const busy = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
    jest.advanceTimersByTime(50);
    busy.mockRestore();
    expect(names).toEqual([]);
  });

  it('knows whether anything came over the connection meanwhile', () => {
    const { client, watch } = watched();
    client.owe(fakeCommand('get'));
    jest.advanceTimersByTime(500);
    client.stream.bytesRead += 1;
    jest.advanceTimersByTime(1_000);
    expect(watch.isSilent).toBe(false);
    jest.advanceTimersByTime(100);
    expect(watch.isSilent).toBe(true);
  });

  it('looks no longer when it is stopped', () => {
    const { watch } = watched();
    expect(jest.getTimerCount()).toBe(1);
    watch.stop();
    expect(jest.getTimerCount()).toBe(0);
  });
});
