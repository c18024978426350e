import { PassThrough } from 'node:stream';
import { describe, expect, it, jest } from '@jest/globals';
import type { Coder } from './codec.js';
import { Direction } from './direction.js';
import { Traffic } from './traffic.js';
import { ZlibByHand } from './zlib-by-hand.fake.js';

const INPUT = Buffer.from('input');
const CULPRIT = { pool: 'test', codec: 'by hand' };

function directionOf(coder: Coder) {
  const traffic = new Traffic('compress');
  return {
    traffic,
    direction: new Direction(CULPRIT, traffic, { coder: () => coder, stream: () => undefined }),
  };
}

const echo: Coder = {
  run: (input) => Promise.resolve(Buffer.from(input)),
  close: () => Promise.resolve(),
};

describe('Direction', () => {
  it.each(['input', 42, undefined, null, [1, 2]])('refuses %p, counts nothing and goes on', async (input) => {
    const { direction, traffic } = directionOf(echo);
    await expect(direction.run(input as unknown as Buffer, Infinity)).rejects.toMatchObject({
      code: 'ERR_POOL_INPUT_TYPE',
      message: `[pool "test"] the input must be a Uint8Array; got ${typeof input}`,
    });
    expect(await direction.run(INPUT, Infinity)).toEqual(INPUT);
    expect(traffic.read()).toMatchObject({ bytesIn: INPUT.length, bytesOut: INPUT.length });
  });

  it.each(['output', undefined, null, { length: 3 }])('refuses %p from a coder', async (output) => {
    const { direction, traffic } = directionOf({ ...echo, run: () => Promise.resolve(output as never) });
    await expect(direction.run(INPUT, Infinity)).rejects.toMatchObject({
      code: 'ERR_POOL_COMPRESSION_FAILED',
      message: `[pool "test"] by hand failed: its coder gave ${typeof output}`,
    });
    expect(traffic.read()).toMatchObject({ bytesIn: 0, bytesOut: 0, ratio: 0 });
  });

  it('tells why an input failed, also where the coder cannot be closed', async () => {
    const failure = new Error('bad input');
    const { direction } = directionOf({
      run: () => Promise.reject(failure),
      close: () => Promise.reject(new Error('cannot close')),
    });
    await expect(direction.run(INPUT, Infinity)).rejects.toBe(failure);
    await expect(direction.run(INPUT, Infinity)).rejects.toBe(failure);
  });
});

describe('Direction of a codec whose streams serve one input each', () => {
  it('has a new one for each block', async () => {
    const stream = jest.fn(() => ({ stream: new PassThrough() }));
    const direction = new Direction(CULPRIT, new Traffic('compress'), { coder: () => echo, stream });
    for (const block of [INPUT, Buffer.from('another')])
      expect(await direction.runBlock(block)).toEqual(block);
    expect(stream).toHaveBeenCalledTimes(2);
  });
});

describe('Direction of a stream that is left half way', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const sink = { take: () => true, ended: () => undefined, failed: () => undefined };

  function open() {
    const streams: ZlibByHand[] = [];
    const stream = jest.fn(() => {
      const made = new ZlibByHand();
      streams.push(made);
      return { stream: made, finish: (done: () => void) => made.flush(done) };
    });
    const direction = new Direction(CULPRIT, new Traffic('compress'), { coder: () => echo, stream });
    const beginOne = async () => {
      direction.enter(sink).write(INPUT, () => undefined);
      await turn();
      return streams.at(-1)!;
    };
    return { direction, stream, beginOne };
  }

  /** Tells when it is over. */
  const watch = (work: Promise<void> | undefined) => {
    const over = jest.fn();
    void work?.then(over);
    return over;
  };

  it('takes no other input until zlib rests, and then has it worked on by another stream', async () => {
    const { direction, stream, beginOne } = open();
    const first = await beginOne();
    const left = watch(direction.leave('half way'));
    const rested = watch(direction.rest());
    await turn();
    expect(direction.isAtWork).toBe(true);
    expect(() => direction.enter(sink)).toThrow('works on another input');
    expect(left).not.toHaveBeenCalled();
    first.done();
    await turn();
    expect(left).toHaveBeenCalledTimes(1);
    expect(rested).toHaveBeenCalledTimes(1);
    expect(first.destroyed).toBe(true);
    expect((await beginOne()).destroyed).toBe(false);
    expect(stream).toHaveBeenCalledTimes(2);
  });

  it('is ready at once where zlib is not at work, and where the input has ended', async () => {
    const { direction, stream, beginOne } = open();
    for (const outcome of ['ended', 'half way'] as const) {
      (await beginOne()).done();
      expect(direction.leave(outcome)).toBeUndefined();
      expect(direction.isAtWork).toBe(false);
    }
    expect(stream).toHaveBeenCalledTimes(1);
  });

  it.each(['before', 'after'])('is closed when zlib rests, if it was left %s', async (moment) => {
    const { direction, beginOne } = open();
    const made = await beginOne();
    if (moment === 'before') void direction.leave('half way');
    const closed = watch(direction.close());
    if (moment === 'after') void direction.leave('half way');
    await turn();
    expect(closed).not.toHaveBeenCalled();
    made.push('a chunk');
    await turn();
    expect(closed).toHaveBeenCalledTimes(1);
    expect(made.destroyed).toBe(true);
    expect(() => direction.enter(sink)).toThrow('the context is closed');
  });

  it('rejects a block that was worked on when it was closed, and is closed, when zlib rests', async () => {
    const { direction, stream } = open();
    const rejected = jest.fn();
    direction.runBlock(INPUT).catch(rejected);
    await turn();
    const closed = watch(direction.close());
    await turn();
    expect(closed).not.toHaveBeenCalled();
    expect(rejected).not.toHaveBeenCalled();
    (stream.mock.results[0]!.value as { stream: ZlibByHand }).stream.done();
    await turn();
    expect(closed).toHaveBeenCalledTimes(1);
    expect(rejected.mock.calls).toEqual([[expect.objectContaining({ code: 'ERR_POOL_COMPRESSION_FAILED' })]]);
  });
});
