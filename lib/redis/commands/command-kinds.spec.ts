import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ReplyError, type Redis } from 'ioredis';
import { CommandKinds } from './command-kinds.js';

type Answer = unknown[] | Error | Promise<never>;

/** A server that gives these answers, in this order; and what it was asked. */
function server(...answers: Answer[]) {
  const asked: string[] = [];
  const call = (...words: string[]) => {
    asked.push(words.join(' '));
    const answer = answers.shift();
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { client: { call } as unknown as Redis, asked };
}

const Refusal = ReplyError as new (message: string) => Error;
const refused = new Refusal('ERR unknown subcommand');
const never = new Promise<never>(() => undefined);

describe('The kinds of commands', () => {
  it('are those of every server until this one has told of its own', () => {
    const kinds = new CommandKinds();
    expect(kinds.hasAsked).toBe(false);
    expect(kinds.of('BLPOP', ['list', 0])).toBe('blocking');
    expect(kinds.of('client', ['setname', 'me'])).toBe('stateful');
    expect(kinds.of('new.blocking', [])).toBe('ordinary');
    expect(kinds.isKnownToBlock('new.blocking')).toBe(false);
  });

  it('are learned from a server of today', async () => {
    const kinds = new CommandKinds();
    const { client, asked } = server(['blpop', 'xread', 'new.blocking']);
    await kinds.learnFrom(client);
    expect(asked).toEqual(['COMMAND LIST FILTERBY ACLCAT blocking']);
    expect(kinds.hasAsked).toBe(true);
    expect(kinds.of('NEW.Blocking', [])).toBe('blocking');
  });

  it('leave the arguments to decide where there is a rule for that', () => {
    const kinds = new CommandKinds();
    kinds.learnBlocking(['xread', 'client|pause']);
    expect(kinds.of('xread', ['STREAMS', 's', '0'])).toBe('ordinary');
    expect(kinds.of('client', ['id'])).toBe('ordinary');
  });

  it('are learned from the flags or categories of an older server', async () => {
    const kinds = new CommandKinds();
    const { client, asked } = server(refused, [
      ['get', 2, ['readonly'], 1, 1, 1, ['@read']],
      ['by.flag', -2, ['write', 'blocking'], 1, 1, 1],
      ['by.category', -2, ['write'], 1, 1, 1, ['@write', '@blocking']],
    ]);
    await kinds.learnFrom(client);
    expect(asked).toHaveLength(2);
    expect(['get', 'by.flag', 'by.category'].map((name) => kinds.of(name, []))).toEqual([
      'ordinary',
      'blocking',
      'blocking',
    ]);
  });

  it('stay as they are where the server does not want to tell', async () => {
    const kinds = new CommandKinds();
    await kinds.learnFrom(server(refused, new Refusal('NOPERM')).client);
    expect(kinds.hasAsked).toBe(true);
    expect(kinds.of('new.blocking', [])).toBe('ordinary');
  });

  it('are asked for again when the connection was lost over it', async () => {
    const kinds = new CommandKinds();
    await expect(kinds.learnFrom(server(new Error('lost')).client)).rejects.toThrow('lost');
    expect(kinds.hasAsked).toBe(false);
    await kinds.learnFrom(server(['new.blocking']).client);
    expect(kinds.of('new.blocking', [])).toBe('blocking');
  });

  describe('of a server that says nothing', () => {
    beforeEach(() => {
      jest.useFakeTimers();
    });

    afterEach(() => {
      jest.useRealTimers();
    });

    it('are not waited for longer than a second', async () => {
      const kinds = new CommandKinds();
      const learned = kinds.learnFrom(server(never).client);
      await jest.advanceTimersByTimeAsync(1_000);
      await learned;
      expect(kinds.hasAsked).toBe(true);
    });
  });
});
