import { tracingChannel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CodecCalls, type CodecCall } from './codec-calls.js';

describe('The calls of a compression pool', () => {
  const channel = tracingChannel<unknown, object>('nestjs-pool:compress');
  let calls: CodecCalls;
  let told: CodecCall[];

  beforeEach(() => {
    calls = new CodecCalls('archive', 'gzip');
    told = [];
  });

  afterEach(() => calls.over.complete());

  const listen = () => calls.over.subscribe((call) => told.push(call));

  it('go their way untouched while nobody listens', () => {
    const working = Promise.resolve(Buffer.from('xy'));
    expect(calls.run('compress', 'xyz', () => working)).toBe(working);
  });

  it.each([
    ['a string', 'é'],
    ['bytes', Buffer.from('é')],
    ['an ArrayBuffer', new ArrayBuffer(2)],
  ])('are told with the sizes when they are over: %s', async (_what, input) => {
    listen();
    await calls.run('decompress', input, () => Promise.resolve(Buffer.alloc(3)));
    expect(told).toEqual([
      { direction: 'decompress', durationMs: expect.any(Number), inputBytes: 2, outputBytes: 3 },
    ]);
  });

  it.each([null, undefined, 42, {}])(
    'are told also where the input is %p, and fail as they would have',
    async (input) => {
      listen();
      const error = new Error('no bytes');
      const call = calls.run('compress', input as Buffer, () => Promise.reject(error));
      await expect(call).rejects.toBe(error);
      expect(told).toMatchObject([{ inputBytes: 0, error }]);
    },
  );

  it('are told with the error when they fail, and fail as they would have', async () => {
    listen();
    const error = new Error('bad input');
    await expect(calls.run('compress', 'x', () => Promise.reject(error))).rejects.toBe(error);
    expect(told).toEqual([{ direction: 'compress', durationMs: expect.any(Number), inputBytes: 1, error }]);
  });

  it('are told and published alike, and give what they would have given', async () => {
    listen();
    const ended: object[] = [];
    const note = (message: unknown) => void ended.push({ ...(message as object) });
    channel.asyncEnd.subscribe(note);
    const output = Buffer.alloc(2);
    await expect(calls.run('compress', 'xyz', () => Promise.resolve(output))).resolves.toBe(output);
    const error = new Error('no context');
    await expect(calls.run('compress', 'xyz', () => Promise.reject(error))).rejects.toBe(error);
    channel.asyncEnd.unsubscribe(note);
    expect(told).toMatchObject([
      { inputBytes: 3, outputBytes: 2 },
      { inputBytes: 3, error },
    ]);
    expect(ended).toMatchObject([
      { inputBytes: 3, outputBytes: 2 },
      { inputBytes: 3, error },
    ]);
  });

  it('are published with what came of them, and not the bytes', async () => {
    const ended: object[] = [];
    const note = (message: unknown) => void ended.push(message as object);
    channel.asyncEnd.subscribe(note);
    await calls.run('compress', 'xyz', () => Promise.resolve(Buffer.alloc(2)));
    channel.asyncEnd.unsubscribe(note);
    expect(ended).toEqual([{ pool: 'archive', algorithm: 'gzip', inputBytes: 3, outputBytes: 2 }]);
  });
});
