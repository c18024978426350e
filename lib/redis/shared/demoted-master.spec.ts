import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { leaveDemotedMaster } from './demoted-master.js';
import { fakeCommand, FakeRedisClient } from '../redis-client.fake.js';

const readonly = new Error("READONLY You can't write against a read only replica.");

function client(options = {}) {
  const fake = new FakeRedisClient(options);
  leaveDemotedMaster(fake.asRedis);
  fake.becomeReady();
  return { fake, verdict: (error: Error) => fake.options.reconnectOnError?.(error) };
}

describe('A connection to a master that was demoted', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('is left at the first write that is refused, and all that were refused beside it are sent again', () => {
    const { verdict } = client();
    expect([verdict(readonly), verdict(readonly), verdict(readonly)]).toEqual([2, 2, 2]);
  });

  it('may be listened to by as many as were refused, without a warning of a leak', () => {
    const { fake, verdict } = client();
    verdict(readonly);
    expect(fake.stream.getMaxListeners()).toBe(0);
  });

  it.each([
    ['by default', {}],
    ['as the user wants', { reconnectOnError: () => 2 as const }],
  ])(
    'is left %s, and a command in a transaction fails, for alone it must not be executed',
    (_how, options) => {
      const { fake } = client(options);
      const decide = jest.fn(fake.options.reconnectOnError!);
      fake.options.reconnectOnError = decide;
      const [inside, outside] = [fakeCommand('set'), fakeCommand('set')];
      fake.handleReconnection(readonly, { command: Object.assign(inside, { inTransaction: true }) });
      fake.handleReconnection(readonly, { command: outside });
      expect(decide.mock.results.map(({ value }) => value)).toEqual([1, 2]);
      expect([inside.error, outside.error]).toEqual([readonly, undefined]);
    },
  );

  it('is not left for any other error', () => {
    expect(client().verdict(new Error('WRONGTYPE'))).toBe(false);
  });

  it('fails a write that is refused again right after that, and is left again a second later', () => {
    const { fake, verdict } = client();
    verdict(readonly);
    fake.lose();
    fake.becomeReady();
    expect([verdict(readonly), verdict(readonly)]).toEqual([false, false]);
    jest.advanceTimersByTime(1_000);
    expect([verdict(readonly), verdict(readonly)]).toEqual([2, 2]);
  });

  it('stays if the user wants something else', () => {
    const { verdict } = client({ reconnectOnError: () => false });
    expect(verdict(readonly)).toBe(false);
  });
});
