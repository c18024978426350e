import { PassThrough, Transform } from 'node:stream';
import { describe, expect, it, jest } from '@jest/globals';
import { PieceCoder, type Sink } from './piece-coder.js';
import { Traffic } from './traffic.js';

const CULPRIT = { pool: 'test', codec: 'plain' };
const turn = () => new Promise((resolve) => setImmediate(resolve));

function fakeSink(takesMore = true) {
  const sink = {
    take: jest.fn<Sink['take']>(() => takesMore),
    ended: jest.fn<Sink['ended']>(),
    failed: jest.fn<Sink['failed']>(),
    output: () => Buffer.concat(sink.take.mock.calls.map(([chunk]) => chunk)).toString(),
  };
  return sink;
}

/** A stream that gives what it takes, and can begin again. */
function renewable() {
  const stream = new PassThrough();
  const renew = jest.fn<() => void>();
  return { stream, renew, finish: (done: () => void) => void stream.write('.', done) };
}

const coderOf = (parts: ConstructorParameters<typeof PieceCoder>[0], traffic = new Traffic('compress')) =>
  new PieceCoder(parts, CULPRIT, traffic);

const write = (coder: PieceCoder, text: string) =>
  new Promise<void>((resolve) => coder.write(Buffer.from(text), resolve));

describe('PieceCoder', () => {
  it('runs one input after the other through the same stream, each to its own sink', async () => {
    const parts = renewable();
    const coder = coderOf(parts);
    for (const text of ['first', 'second']) {
      const sink = fakeSink();
      coder.begin(sink);
      await write(coder, text);
      await write(coder, ' piece');
      coder.end();
      await turn();
      expect(sink.output()).toBe(`${text} piece.`);
      expect(sink.ended).toHaveBeenCalledTimes(1);
      expect(sink.failed).not.toHaveBeenCalled();
    }
    expect(parts.renew).toHaveBeenCalledTimes(2);
    expect(coder.isReusable).toBe(true);
  });

  it('lets a stream that cannot begin again end with its input', async () => {
    const stream = new PassThrough();
    const coder = coderOf({ stream });
    const sink = fakeSink();
    coder.begin(sink);
    await write(coder, 'only one');
    coder.end();
    await turn();
    expect(sink.output()).toBe('only one');
    expect(sink.ended).toHaveBeenCalledTimes(1);
    expect(coder.isReusable).toBe(false);
  });

  it('ends an input only when all its output was taken', async () => {
    const coder = coderOf(renewable());
    const sink = fakeSink(false);
    coder.begin(sink);
    coder.write(Buffer.from('a'), () => coder.write(Buffer.from('b'), () => coder.end()));
    await turn();
    for (const seen of ['a', 'ab', 'ab.']) {
      expect(sink.output()).toBe(seen);
      expect(sink.ended).toHaveBeenCalledTimes(seen === 'ab.' ? 1 : 0);
      coder.resume();
      await turn();
    }
  });

  it('calls a flush done only when all its output was taken, and goes on with the same input', async () => {
    const { stream, ...parts } = renewable();
    const coder = coderOf({ ...parts, stream, flush: (done) => void stream.write('|', done) });
    const sink = fakeSink(false);
    const flushed = jest.fn(() => coder.write(Buffer.from('b'), () => coder.end()));
    coder.begin(sink);
    coder.write(Buffer.from('a'), () => coder.flush(flushed));
    await turn();
    for (const seen of ['a', 'a|', 'a|b', 'a|b.']) {
      expect(sink.output()).toBe(seen);
      expect(flushed).toHaveBeenCalledTimes(seen === 'a' ? 0 : 1);
      coder.resume();
      await turn();
    }
    expect(parts.renew).toHaveBeenCalledTimes(1);
    expect(sink.ended).toHaveBeenCalledTimes(1);
  });

  it('fails the input where the stream cannot flush', async () => {
    const coder = coderOf(renewable());
    const sink = fakeSink();
    const flushed = jest.fn();
    coder.begin(sink);
    await write(coder, 'a');
    coder.flush(flushed);
    expect(sink.failed.mock.calls).toEqual([
      [expect.objectContaining({ message: '[pool "test"] plain failed: it cannot flush' })],
    ]);
    expect(flushed).not.toHaveBeenCalled();
  });

  it('calls no flush done that was under way when it was closed', async () => {
    const parts = renewable();
    let done = (): void => undefined;
    const coder = coderOf({ ...parts, flush: (callback) => (done = callback) });
    const flushed = jest.fn();
    coder.begin(fakeSink());
    await write(coder, 'a');
    coder.flush(flushed);
    void coder.close();
    done();
    expect(flushed).not.toHaveBeenCalled();
  });

  it('takes an end that nobody asked for as that of the input, with bytes behind it', async () => {
    const stream = new PassThrough();
    const coder = coderOf({ stream, finish: () => undefined });
    const sink = fakeSink();
    coder.begin(sink);
    stream.end();
    await turn();
    expect(sink.failed).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_POOL_INPUT_TRAILING' }));
  });

  it('takes it for that also where its output was not yet read when the input ended', async () => {
    const stream = new PassThrough();
    const renew = jest.fn();
    const coder = coderOf({ stream, finish: (done) => done(), renew });
    const sink = fakeSink(false);
    coder.begin(sink);
    for (const chunk of ['a', 'b', null]) stream.push(chunk);
    coder.end();
    for (const seen of ['a', 'ab']) {
      await turn();
      expect(sink.output()).toBe(seen);
      coder.resume();
    }
    await turn();
    expect(sink.failed.mock.calls).toEqual([[expect.objectContaining({ code: 'ERR_POOL_INPUT_TRAILING' })]]);
    expect(sink.ended).not.toHaveBeenCalled();
    expect(renew).not.toHaveBeenCalled();
  });

  it('fails an input whose stream cannot begin again', async () => {
    const coder = coderOf({
      ...renewable(),
      renew: () => {
        throw new Error('no memory');
      },
    });
    const sink = fakeSink();
    coder.begin(sink);
    coder.end();
    await turn();
    expect(sink.failed.mock.calls).toEqual([[new Error('no memory')]]);
    expect(sink.ended).not.toHaveBeenCalled();
  });

  it.each(['under way', 'about to begin'])(
    'fails an input that is %s where its stream closes itself',
    async (when) => {
      const stream = new Transform({ transform: () => undefined });
      const coder = coderOf({ stream, finish: (done) => void stream.write('.', done) });
      const sink = fakeSink();
      const close = async () => {
        stream.destroy();
        await turn();
      };
      if (when === 'about to begin') await close();
      coder.begin(sink);
      coder.write(Buffer.from('a'), () => undefined);
      if (when === 'under way') await close();
      await turn();
      expect(sink.failed).toHaveBeenCalledTimes(1);
      expect(sink.ended).not.toHaveBeenCalled();
    },
  );

  it('tells once what was wrong, in the words of the codec', async () => {
    const stream = new Transform({ transform: (_chunk, _encoding, callback) => callback(new Error('no')) });
    const coder = coderOf({ stream, explain: (cause) => new Error('not good', { cause }) });
    const sink = fakeSink();
    const taken = jest.fn();
    coder.begin(sink);
    coder.write(Buffer.from('a'), taken);
    await turn();
    void coder.close();
    expect(sink.failed.mock.calls).toEqual([[expect.objectContaining({ message: 'not good' })]]);
    expect(taken).not.toHaveBeenCalled();
  });

  it.each(['cut', 'finish'])('fails the input where %s throws', async (method) => {
    const problem = new Error('truncated');
    const fail = () => {
      throw problem;
    };
    const coder = coderOf({ ...renewable(), [method]: fail });
    const sink = fakeSink();
    coder.begin(sink);
    if (method === 'cut') coder.write(Buffer.from('a'), () => undefined);
    else coder.end();
    await turn();
    expect(sink.failed.mock.calls).toEqual([[problem]]);
  });

  it('fails the input that is under way when it is closed, and gives nobody what comes after', async () => {
    const parts = renewable();
    const coder = coderOf(parts);
    const sink = fakeSink();
    coder.begin(sink);
    coder.write(Buffer.from('a'), () => undefined);
    void coder.close();
    await turn();
    expect(parts.stream.destroyed).toBe(true);
    expect(sink.failed).toHaveBeenCalledTimes(1);
    expect(sink.ended).not.toHaveBeenCalled();
  });

  it('counts what it takes and gives', async () => {
    const traffic = new Traffic('compress');
    const { stream, ...parts } = renewable();
    const coder = coderOf({ ...parts, stream, flush: (done) => void stream.write('|', done) }, traffic);
    coder.begin(fakeSink());
    await write(coder, 'four');
    await new Promise<void>((resolve) => coder.flush(resolve));
    expect(traffic.read()).toMatchObject({ bytesIn: 4, bytesOut: 5 });
    coder.end();
    await turn();
    expect(traffic.read()).toMatchObject({ bytesIn: 4, bytesOut: 6 });
  });
});
