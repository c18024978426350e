import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import { awaitsCredentials, Credentials, type RedisCredentials } from './credentials.js';

const ANN: RedisCredentials = { username: 'ann', password: 'of-ann' };
const never = new AbortController().signal;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function credentialsOf(...answers: unknown[]) {
  const source = jest.fn<() => Promise<RedisCredentials>>();
  for (const answer of answers) source.mockResolvedValueOnce(answer as RedisCredentials);
  const answered = jest.fn<(differs: boolean) => void>();
  return { source, answered, credentials: new Credentials({ source, timeoutMs: 1_000, answered }) };
}

/** As much of a client as credentials are given to. */
function fakeClient() {
  const auth = jest.fn<(...args: string[]) => Promise<string>>().mockResolvedValue('OK');
  const client = { options: {}, condition: {}, auth };
  return { client: client as unknown as Redis, ...client };
}

describe('Credentials', () => {
  it('are asked for once by all who ask at the same time, and anew by who asks later', async () => {
    const { credentials, source } = credentialsOf(ANN, ANN);
    await expect(Promise.all([credentials.ask(), credentials.ask()])).resolves.toEqual([ANN, ANN]);
    expect(source).toHaveBeenCalledTimes(1);
    await credentials.ask();
    expect(source).toHaveBeenCalledTimes(2);
  });

  it('that are asked for anew are not older than the question', async () => {
    const { credentials, source } = credentialsOf(ANN, { password: 'newer' });
    const [older, newer] = await Promise.all([credentials.ask(), credentials.askAnew()]);
    expect([older.password, newer.password]).toEqual(['of-ann', 'newer']);
    expect(source).toHaveBeenCalledTimes(2);
  });

  it('say whether they differ from those before', async () => {
    const answers = [ANN, { ...ANN }, { username: 'ben', password: 'of-ann' }, { password: 'of-ann' }];
    const { credentials, answered } = credentialsOf(...answers);
    for (const answer of answers) await expect(credentials.ask()).resolves.toEqual(answer);
    expect(answered.mock.calls).toEqual([[false], [false], [true], [true]]);
  });

  it.each([
    undefined,
    null,
    'of-ann',
    [],
    {},
    { password: '' },
    { password: 5 },
    { username: '', password: 'a' },
  ])('are refused without a word of them when they are %j', async (answer) => {
    const { credentials, answered } = credentialsOf(answer);
    await expect(credentials.ask()).rejects.toThrow(/^credentials\(\) must resolve with [^5]*$/);
    await expect(credentialsOf(answer).credentials.ask()).rejects.not.toThrow(/of-ann/);
    expect(answered).not.toHaveBeenCalled();
  });

  it('that cannot be had say why, and are asked for again', async () => {
    const { credentials, source } = credentialsOf();
    source.mockImplementationOnce(() => {
      throw new Error('vault is sealed');
    });
    source.mockResolvedValueOnce(ANN);
    await expect(credentials.ask()).rejects.toThrow('credentials() failed: vault is sealed');
    await expect(credentials.ask()).resolves.toEqual(ANN);
  });

  it('that do not come in time are not waited for', async () => {
    const { credentials, source } = credentialsOf();
    source.mockReturnValueOnce(new Promise(() => undefined));
    source.mockResolvedValueOnce(ANN);
    const late = expect(credentials.ask()).rejects.toThrow('credentials() did not answer within 1000 ms');
    await jest.advanceTimersByTimeAsync(1_000);
    await late;
    await expect(credentials.ask()).resolves.toEqual(ANN);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are given to a client before it connects', async () => {
    const { credentials } = credentialsOf(ANN, { password: 'only' });
    const named = fakeClient();
    const prepared = credentials.prepare(named.client, never);
    expect(awaitsCredentials(named.client)).toBe(true);
    await prepared;
    expect(awaitsCredentials(named.client)).toBe(false);
    expect(named.options).toEqual(ANN);
    expect(named.condition).toEqual({ auth: ['ann', 'of-ann'] });

    const nameless = fakeClient();
    await credentials.prepare(nameless.client, never);
    expect(nameless.condition).toEqual({ auth: 'only' });
  });

  it('are not waited for by a client that nobody wants any more', async () => {
    const { credentials, source } = credentialsOf();
    source.mockReturnValueOnce(new Promise(() => undefined));
    const { client } = fakeClient();
    const unwanted = new AbortController();
    const prepared = expect(credentials.prepare(client, unwanted.signal)).rejects.toThrow('enough');
    unwanted.abort(new Error('enough'));
    await prepared;
    expect(awaitsCredentials(client)).toBe(false);
  });

  it('are used by an open connection when they differ from what it used', async () => {
    const { credentials } = credentialsOf(ANN, ANN, { password: 'only' });
    const { client, auth, options } = fakeClient();
    await credentials.authenticate(client); // nothing is known yet
    await credentials.prepare(client, never);
    await credentials.ask();
    await credentials.authenticate(client);
    expect(auth).not.toHaveBeenCalled();
    await credentials.ask();
    await credentials.authenticate(client);
    await credentials.authenticate(client);
    expect(auth.mock.calls).toEqual([['only']]);
    expect(options).toEqual({ username: undefined, password: 'only' });
  });

  it('are not used to open a connection that nobody needed so far', async () => {
    const { credentials } = credentialsOf(ANN);
    const { client, auth } = fakeClient();
    Object.assign(client, { status: 'wait' });
    await credentials.ask();
    await credentials.authenticate(client);
    expect(auth).not.toHaveBeenCalled();
  });

  it('are given at once where a question is asked, as they were last', async () => {
    const { credentials, source } = credentialsOf(ANN);
    const { client, options } = fakeClient();
    credentials.give(client);
    expect(options).toEqual({});
    await credentials.ask();
    credentials.give(client);
    expect(options).toEqual(ANN);
    expect(source).toHaveBeenCalledTimes(1);
  });

  it('that the server refuses are tried again the next time', async () => {
    const { credentials } = credentialsOf({ password: 'only' }, ANN);
    const { client, auth } = fakeClient();
    await credentials.prepare(client, never);
    await credentials.ask();
    auth.mockRejectedValueOnce(new Error('WRONGPASS'));
    await expect(credentials.authenticate(client)).rejects.toThrow('WRONGPASS');
    await credentials.authenticate(client);
    expect(auth.mock.calls).toEqual([
      ['ann', 'of-ann'],
      ['ann', 'of-ann'],
    ]);
  });
});
