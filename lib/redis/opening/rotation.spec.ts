import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import type { RedisCredentials } from './credentials.js';
import { Rotation } from './rotation.js';

const MINUTE = 60_000;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

async function rotating({ maxLifetimeMs = 30 * MINUTE } = {}) {
  let password = 'first';
  const source = jest.fn(() => Promise.resolve<RedisCredentials>({ password }));
  const auth = jest.fn<(password: string) => Promise<string>>().mockResolvedValue('OK');
  const client = { options: {}, condition: null, auth } as unknown as Redis;
  const replaceLeased = jest.fn();
  const warn = jest.fn<(message: string) => void>();
  const shared = [client];
  const parts = { source, timeoutMs: 1_000, maxLifetimeMs, shared: () => shared, replaceLeased, warn };
  const rotation = new Rotation(parts);
  /** A connection is opened. */
  const open = () =>
    rotation.credentials.prepare({ options: {}, condition: null } as never, new AbortController().signal);
  await rotation.credentials.prepare(client, new AbortController().signal);
  return {
    ...{ rotation, source, auth, shared, replaceLeased, warn, open },
    change: (to: string) => (password = to),
  };
}

describe('When credentials change', () => {
  it('leased connections are replaced, and shared ones authenticate themselves anew, at once', async () => {
    const { open, change, replaceLeased, auth } = await rotating();
    await open();
    expect(replaceLeased).not.toHaveBeenCalled();
    change('second');
    await open();
    expect(replaceLeased).toHaveBeenCalledTimes(1);
    expect(auth.mock.calls).toEqual([['second']]);
  });

  it('again within a minute, that is done at the end of the minute, once', async () => {
    const { open, change, replaceLeased, auth } = await rotating();
    for (const password of ['second', 'third', 'fourth']) {
      change(password);
      await open();
    }
    expect(replaceLeased).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(replaceLeased).toHaveBeenCalledTimes(2);
    expect(auth.mock.calls).toEqual([['second'], ['fourth']]);
  });

  it('with each question, connections are replaced less and less often', async () => {
    const { open, change, replaceLeased } = await rotating();
    for (let second = 0; second < 60 * 60; second += 10) {
      change(`token-${second}`);
      await open();
      await jest.advanceTimersByTimeAsync(10_000);
    }
    expect(replaceLeased).toHaveBeenCalledTimes(6); // after 0, 1, 3, 7, 15, 31 minutes
  });

  it('now and then, that is done at once each time', async () => {
    const { open, change, replaceLeased } = await rotating({ maxLifetimeMs: 0 });
    for (let times = 1; times <= 3; times += 1) {
      change(`password-${times}`);
      await open();
      expect(replaceLeased).toHaveBeenCalledTimes(times);
      await jest.advanceTimersByTimeAsync(2 * MINUTE);
    }
  });
});

describe('Shared connections', () => {
  it('ask by themselves before their time is up', async () => {
    const { change, source, auth } = await rotating();
    change('second');
    await jest.advanceTimersByTimeAsync(26 * MINUTE);
    expect(source).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(4 * MINUTE);
    expect(source).toHaveBeenCalledTimes(2);
    expect(auth.mock.calls).toEqual([['second']]);
    await jest.advanceTimersByTimeAsync(30 * MINUTE);
    expect(source).toHaveBeenCalledTimes(3);
    expect(auth).toHaveBeenCalledTimes(1);
  });

  it('ask again soon when there was no answer, and say so', async () => {
    const { source, warn } = await rotating();
    source.mockRejectedValueOnce(new Error('vault is sealed'));
    await jest.advanceTimersByTimeAsync(30 * MINUTE);
    expect(warn.mock.calls).toEqual([[expect.stringContaining('vault is sealed')]]);
    await jest.advanceTimersByTimeAsync(3 * MINUTE);
    expect(source).toHaveBeenCalledTimes(3);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('never ask by themselves where connections live for ever', async () => {
    const { source } = await rotating({ maxLifetimeMs: 0 });
    await jest.advanceTimersByTimeAsync(1_000 * MINUTE);
    expect(source).toHaveBeenCalledTimes(1);
  });

  it('ask at once when the pool is renewed, and nothing is replaced twice', async () => {
    const { rotation, change, replaceLeased, auth } = await rotating();
    change('second');
    await rotation.renew();
    expect(auth.mock.calls).toEqual([['second']]);
    await jest.advanceTimersByTimeAsync(2 * MINUTE);
    expect(replaceLeased).not.toHaveBeenCalled();
  });

  it('whose new credentials are refused say so, and try again the next time', async () => {
    const { rotation, change, auth, warn } = await rotating();
    change('second');
    auth.mockRejectedValueOnce(new Error('WRONGPASS'));
    await rotation.renew();
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/goes on with its old credentials.*WRONGPASS/)]]);
    await rotation.renew();
    expect(auth.mock.calls).toEqual([['second'], ['second']]);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('say so once, though new credentials are refused on each of them', async () => {
    const { rotation, change, auth, shared, warn } = await rotating();
    shared.push({ ...shared[0]! } as Redis);
    change('second');
    auth.mockRejectedValueOnce(new Error('WRONGPASS')).mockRejectedValueOnce(new Error('WRONGPASS'));
    await rotation.renew();
    expect(auth).toHaveBeenCalledTimes(2);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('that are lost meanwhile, as those to nodes of a cluster may be, say nothing', async () => {
    const { rotation, change, auth, shared, warn } = await rotating();
    change('second');
    auth.mockImplementationOnce(() => {
      Object.assign(shared[0]!, { status: 'end' });
      return Promise.reject(new Error('Connection is closed.'));
    });
    await rotation.renew();
    expect(auth).toHaveBeenCalledTimes(1);
    expect(warn).not.toHaveBeenCalled();
  });

  it('of a pool that is closed do nothing more', async () => {
    const { rotation, open, change, replaceLeased, source } = await rotating();
    change('second');
    await open();
    change('third');
    await open();
    rotation.end();
    change('fourth');
    await open();
    await jest.advanceTimersByTimeAsync(100 * MINUTE);
    expect(replaceLeased).toHaveBeenCalledTimes(1);
    expect(source).toHaveBeenCalledTimes(4);
    expect(jest.getTimerCount()).toBe(0);
  });
});
