import { describe, expect, it, jest } from '@jest/globals';
import type { Lease } from '../core/lease.js';
import { BlockCoder } from './block-coder.js';
import type { Helpers } from './block-crew.js';
import type { CodecContext } from './codec-context.js';
import type { Sink } from './piece-coder.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A context whose blocks are done when the test says so, with its own name behind each. */
function handOperatedContext(name: string) {
  const finishes: ((error?: Error) => void)[] = [];
  const compress = jest.fn<CodecContext['compressBlock']>(
    (block) =>
      new Promise((resolve, reject) => {
        finishes.push((error) =>
          error ? reject(error) : resolve(Buffer.concat([block, Buffer.from(name)])),
        );
      }),
  );
  const finish = async (error?: Error) => {
    finishes.shift()?.(error);
    await turn();
  };
  return { context: { compressBlock: compress } as unknown as CodecContext, compress, finish };
}

function open(takesMore = true) {
  const own = handOperatedContext('1');
  const helper = handOperatedContext('2');
  const release = jest.fn(() => Promise.resolve());
  const lease = { resource: helper.context, release } as unknown as Lease<CodecContext>;
  const hire = jest.fn<Helpers['hire']>();
  const sink = {
    take: jest.fn<Sink['take']>(() => takesMore),
    ended: jest.fn<Sink['ended']>(),
    failed: jest.fn<Sink['failed']>(),
  };
  const joiner = { add: (_: Uint8Array, chunk: Buffer) => chunk, end: jest.fn(() => Buffer.alloc(0)) };
  const helpers = { hire, areAwaited: () => false, areFree: () => false };
  const coder = new BlockCoder({ own: own.context, blockBytes: 3, helpers, joiner, sink });
  const output = () => sink.take.mock.calls.map(([chunk]) => chunk.toString());
  const write = (text: string) => {
    const taken = jest.fn();
    coder.write(Buffer.from(text), taken);
    return taken;
  };
  return { own, helper, lease, release, hire, joiner, sink, coder, output, write };
}

describe('BlockCoder', () => {
  it('gathers pieces to blocks, and copies them', async () => {
    const { own, coder, output, sink } = open();
    const piece = Buffer.from('ab');
    for (const text of ['ab', 'cd', 'ef', 'g']) {
      piece.write(text);
      coder.write(piece.subarray(0, text.length), () => undefined);
      await turn();
      piece.fill('?');
      await own.finish();
    }
    coder.end();
    await turn();
    await own.finish();
    expect(output()).toEqual(['abc1', 'def1', 'g1']);
    expect(sink.ended).toHaveBeenCalledTimes(1);
  });

  it('gives what its joiner adds behind the last block, and nothing more when the sink is content with less', async () => {
    const { coder, joiner, output, sink } = open();
    joiner.end.mockReturnValue(Buffer.from('.'));
    sink.take.mockImplementation(() => {
      void coder.close();
      return false;
    });
    coder.end();
    await turn();
    expect(output()).toEqual(['.']);
    expect(sink.ended).not.toHaveBeenCalled();
  });

  it('gives a block to a helper while its own context is at work, and the outputs in order', async () => {
    const { own, helper, hire, lease, release, output, write } = open();
    hire.mockResolvedValueOnce(lease);
    const taken = write('abcdef');
    await turn();
    expect(taken).toHaveBeenCalled();
    await helper.finish();
    expect(release).toHaveBeenCalledTimes(1);
    expect(output()).toEqual([]);
    await own.finish();
    expect(output()).toEqual(['abc1', 'def2']);
  });

  it('takes no more while nobody is free', async () => {
    const { own, write, hire } = open();
    hire.mockReturnValue(undefined);
    const taken = write('abcdef');
    await turn();
    expect(taken).not.toHaveBeenCalled();
    await own.finish();
    expect(taken).toHaveBeenCalled();
    expect(own.compress).toHaveBeenCalledTimes(2);
  });

  it('waits for no helper when its own context is free first, and gives it back if it comes later', async () => {
    const { own, helper, write, hire, lease, release } = open();
    let come!: (lease: Lease<CodecContext>) => void;
    hire.mockReturnValueOnce(new Promise((resolve) => (come = resolve)));
    write('abcdef');
    await turn();
    await own.finish();
    expect(own.compress).toHaveBeenCalledTimes(2);
    come(lease);
    await turn();
    expect(release).toHaveBeenCalledTimes(1);
    expect(helper.compress).not.toHaveBeenCalled();
  });

  it('does itself what a helper failed at', async () => {
    const { own, helper, hire, lease, release, output, write } = open();
    hire.mockResolvedValueOnce(lease);
    write('abcdef');
    await turn();
    await helper.finish(new Error('revoked'));
    expect(release).toHaveBeenCalledTimes(1);
    await own.finish();
    await own.finish();
    expect(output()).toEqual(['abc1', 'def1']);
  });

  it('takes in one block more than can be worked on, as long as nobody reads', async () => {
    const { own, coder, write, output } = open(false);
    const taken = write('abc'.repeat(20));
    for (let block = 0; block < 20; block++) {
      await turn();
      await own.finish();
    }
    expect(own.compress).toHaveBeenCalledTimes(2);
    expect(taken).not.toHaveBeenCalled();
    coder.resume();
    await turn();
    expect(output()).toHaveLength(2);
    expect(own.compress).toHaveBeenCalledTimes(3);
  });

  it('makes a block of what it has gathered when it is flushed, and gathers on', async () => {
    const { own, coder, write, output, sink } = open();
    const flushed = jest.fn();
    write('abcd');
    await turn();
    coder.flush(flushed);
    await turn();
    await own.finish();
    expect(output()).toEqual(['abc1']);
    expect(flushed).not.toHaveBeenCalled();
    await own.finish();
    expect(output()).toEqual(['abc1', 'd1']);
    expect(flushed).toHaveBeenCalledTimes(1);
    write('efg');
    await turn();
    await own.finish();
    expect(output()).toEqual(['abc1', 'd1', 'efg1']);
    const [, short, next] = own.compress.mock.calls.map(([block]) => block);
    expect(next!.buffer).toBe(short!.buffer); // which costs no memory anew
    expect(sink.ended).not.toHaveBeenCalled();
  });

  it('makes no block of nothing when it is flushed, but waits for those before', async () => {
    const { own, coder, write } = open();
    const flushed = jest.fn();
    write('abc');
    await turn();
    coder.flush(flushed);
    await turn();
    expect(flushed).not.toHaveBeenCalled();
    await own.finish();
    expect(flushed).toHaveBeenCalledTimes(1);
    expect(own.compress).toHaveBeenCalledTimes(1);
  });

  it('calls a flush done when its reader wants more, and never when it was closed before', async () => {
    for (const way of ['resume', 'close'] as const) {
      const { own, coder, write } = open(false);
      const flushed = jest.fn();
      write('a');
      await turn();
      coder.flush(flushed);
      await own.finish();
      expect(flushed).not.toHaveBeenCalled();
      void coder[way]();
      await turn();
      expect(flushed).toHaveBeenCalledTimes(way === 'resume' ? 1 : 0);
    }
  });

  it('tells once that a block failed', async () => {
    const { own, coder, sink, write } = open();
    write('abc');
    write('def');
    await turn();
    await own.finish(new Error('no memory'));
    coder.end();
    await turn();
    expect(sink.failed.mock.calls).toEqual([[expect.objectContaining({ message: 'no memory' })]]);
    expect(sink.ended).not.toHaveBeenCalled();
  });

  it('leaves the rest of a piece alone when it is closed', async () => {
    const { own, coder } = open();
    const piece = Buffer.from('abc'.repeat(100));
    const read = jest.spyOn(piece, 'subarray');
    coder.write(piece, () => undefined);
    await turn();
    const parts = read.mock.calls.length;
    void coder.close();
    await own.finish();
    expect(read).toHaveBeenCalledTimes(parts);
  });

  it("begins nothing with its own context when it is closed, which is then somebody else's", async () => {
    const { own, coder, sink, write, hire } = open();
    const taken = write('abcdefghi'.repeat(100));
    await turn();
    const rest = jest.fn();
    void coder.close().then(rest);
    const asked = hire.mock.calls.length;
    await turn();
    expect(rest).not.toHaveBeenCalled();
    await own.finish();
    expect(rest).toHaveBeenCalledTimes(1);
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(own.compress).toHaveBeenCalledTimes(1);
    expect(hire).toHaveBeenCalledTimes(asked);
    expect(taken).not.toHaveBeenCalled();
    expect(sink.take).not.toHaveBeenCalled();
    expect(sink.failed).not.toHaveBeenCalled();
  });
});
