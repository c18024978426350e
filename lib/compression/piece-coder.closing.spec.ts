import { Duplex } from 'node:stream';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PieceCoder, type Sink } from './piece-coder.js';
import { Traffic } from './traffic.js';
import { ZlibByHand } from './zlib-by-hand.fake.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const PIECE = Buffer.from('piece');

const fakeSink = () => ({
  take: jest.fn<Sink['take']>(() => true),
  ended: jest.fn<Sink['ended']>(),
  failed: jest.fn<Sink['failed']>(),
});

let stream: ZlibByHand;
let coder: PieceCoder;
let sink: ReturnType<typeof fakeSink>;
const called = jest.fn();

function open(parts: Partial<ConstructorParameters<typeof PieceCoder>[0]> = {}): void {
  stream = new ZlibByHand({ readableHighWaterMark: 4 });
  sink = fakeSink();
  const finish = (done: () => void) => stream.flush(done);
  coder = new PieceCoder(
    { stream, finish, flush: finish, ...parts },
    { pool: 'test', codec: 'by hand' },
    new Traffic('compress'),
  );
  coder.begin(sink);
}

/** Whether it is over by now. */
async function isSettled(work: Promise<void> | undefined): Promise<boolean> {
  const settled = jest.fn();
  void work?.then(settled);
  await turn();
  return settled.mock.calls.length > 0;
}

beforeEach(() => {
  called.mockClear();
  open();
});

/** What may be under way: each leaves zlib at work. */
const WORK = {
  write: () => coder.write(PIECE, called),
  'write in parts': () => {
    open({ cut: () => [PIECE, PIECE] });
    coder.write(PIECE, called);
  },
  flush: () => coder.flush(called),
  end: () => coder.end(),
  'last end': () => {
    open({ finish: undefined });
    coder.end();
  },
  block: () => {
    coder.runBlock(PIECE).catch(called);
    sink.failed(new Error('of a block hears whoever runs it'));
  },
};

describe.each(Object.keys(WORK) as (keyof typeof WORK)[])(
  'a PieceCoder that is closed during a %s',
  (kind) => {
    const closeAtWork = async () => {
      WORK[kind]();
      await turn();
      expect(stream.isAtWork).toBe(true);
      const closing = coder.close();
      expect(sink.failed).toHaveBeenCalledTimes(1);
      expect(await isSettled(closing)).toBe(false);
      expect(stream.destroyed).toBe(false);
      expect(coder.close()).toBe(closing);
      called.mockClear();
      return { closing };
    };

    it.each(['done', 'destroy'] as const)('resolves when zlib says %s', async (word) => {
      const { closing } = await closeAtWork();
      for (let part = 0; part < 2; part++) stream[word]();
      expect(await isSettled(closing)).toBe(true);
      expect(stream.destroyed).toBe(true);
      expect(called).not.toHaveBeenCalled();
      expect(sink.ended).not.toHaveBeenCalled();
    });

    it('stops zlib at its next chunk, which nobody gets', async () => {
      const { closing } = await closeAtWork();
      stream.push('chunk');
      expect(stream.destroyed).toBe(true);
      stream.done();
      expect(await isSettled(closing)).toBe(true);
      expect(sink.take).not.toHaveBeenCalled();
      expect(called).not.toHaveBeenCalled();
    });

    it('resolves when zlib fails, which nobody hears of', async () => {
      const { closing } = await closeAtWork();
      stream.destroy(new Error('no memory'));
      expect(await isSettled(closing)).toBe(true);
      expect(sink.failed).toHaveBeenCalledTimes(1);
    });
  },
);

describe('a PieceCoder that is closed', () => {
  it('is gone at once where zlib is not at work', async () => {
    coder.write(PIECE, called);
    await turn();
    stream.done();
    expect(called).toHaveBeenCalled();
    expect(coder.close()).toBeUndefined();
    expect(stream.destroyed).toBe(true);
    expect(coder.close()).toBeUndefined();
  });

  it.each(['cut', 'flush', 'finish'] as const)('is so also where %s throws', (method) => {
    open({
      [method]: () => {
        throw new Error('truncated');
      },
    });
    ({
      cut: () => coder.write(PIECE, called),
      flush: () => coder.flush(called),
      finish: () => coder.end(),
    })[method]();
    expect(sink.failed).toHaveBeenCalledTimes(1);
    expect(coder.close()).toBeUndefined();
    expect(stream.destroyed).toBe(true);
  });

  it.each(['failed', 'ended'] as const)('is so also by its sink, which hears that it %s', async (word) => {
    open({ finish: undefined });
    let closing: unknown = 'not closed';
    sink[word].mockImplementation(() => {
      closing = coder.close();
    });
    coder.end();
    await turn();
    if (word === 'failed') stream.destroy(new Error('no memory'));
    else stream.done();
    await turn();
    expect(closing).toBeUndefined();
  });

  it('goes on to the next rest of zlib where its output waited to be taken', async () => {
    sink.take.mockReturnValue(false);
    coder.write(PIECE, called);
    await turn();
    for (const chunk of ['taken', 'waits', 'waits as well']) stream.push(chunk);
    expect(stream.readableLength).toBeGreaterThan(0);
    const closing = coder.close();
    expect(await isSettled(closing)).toBe(false);
    expect(stream.destroyed).toBe(false);
    stream.push('next');
    expect(await isSettled(closing)).toBe(true);
    expect(sink.take).toHaveBeenCalledTimes(1);
  });

  it('is gone at once where zlib was done and only its output waited to be taken', async () => {
    sink.take.mockReturnValue(false);
    coder.write(PIECE, called);
    await turn();
    for (const chunk of ['taken', 'waits']) stream.push(chunk);
    stream.done();
    expect(called).not.toHaveBeenCalled();
    expect(coder.close()).toBeUndefined();
    expect(stream.destroyed).toBe(true);
    expect(called).not.toHaveBeenCalled();
  });

  it('is not held up by a sink that closes it and takes no more', async () => {
    let closing: Promise<void> | undefined;
    sink.take.mockImplementation(() => {
      closing = coder.close();
      return false;
    });
    coder.write(PIECE, called);
    await turn();
    stream.push('too much');
    expect(await isSettled(closing)).toBe(false);
    expect(stream.isPaused()).toBe(false);
    stream.push('more');
    expect(await isSettled(closing)).toBe(true);
  });

  it('waits for no stream of another kind, which may never say anything again', async () => {
    const silent = new Duplex({ read: () => undefined, write: () => undefined, destroy: () => undefined });
    open({ stream: silent });
    coder.write(PIECE, called);
    await turn();
    expect(coder.close()).toBeUndefined();
    expect(silent.destroyed).toBe(true);
    expect(sink.failed).toHaveBeenCalledTimes(1);
  });
});
