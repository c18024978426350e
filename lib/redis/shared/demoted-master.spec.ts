import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { leaveDemotedMaster } from './demoted-master.js';
import { FakeRedisClient } from '../redis-client.fake.js';

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
