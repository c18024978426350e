import { describe, expect, it, jest } from '@jest/globals';
import type { Lease } from '../core/lease.js';
import { BlockCrew, type Helpers } from './block-crew.js';
import type { CodecContext } from './codec-context.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const block = (text: string) => Buffer.from(text);

/** A context whose blocks are done when the test says so, with its own name behind each. */
function handOperated(name: string) {
  const ends: ((error?: Error) => void)[] = [];
  const compress = jest.fn<CodecContext['compressBlock']>(
    (bytes) =>
      new Promise((resolve, reject) => {
        ends.push((error) => (error ? reject(error) : resolve(Buffer.concat([bytes, Buffer.from(name)]))));
      }),
  );
  const end = async (error?: Error) => {
    ends.shift()?.(error);
    await turn();
  };
  const release = jest.fn(() => Promise.resolve());
  const context = { compressBlock: compress } as unknown as CodecContext;
  return {
    context,
    compress,
    lease: { resource: context, release } as unknown as Lease<CodecContext>,
    release,
    end,
  };
}

function open(...helpers: ReturnType<typeof handOperated>[]) {
  const own = handOperated('1');
  const hire = jest.fn<Helpers['hire']>(() => {
    const helper = helpers.shift();
    return helper && Promise.resolve(helper.lease);
  });
  const areAwaited = jest.fn(() => false);
  const crew = new BlockCrew(own.context, { hire, areAwaited, areFree: () => helpers.length > 0 });
  const outputs: string[] = [];
  const compress = (...texts: string[]) => {
    for (const text of texts) {
      crew.compress(block(text)).then(
        (output) => outputs.push(output.toString()),
        (error: Error) => outputs.push(error.message),
      );
    }
    return turn();
  };
  return { own, hire, areAwaited, crew, outputs, compress };
}

describe('BlockCrew', () => {
  it('works alone where nobody is free', async () => {
    const { own, outputs, compress, crew } = open();
    await compress('a', 'b');
    expect(crew.hands).toBe(1);
    await own.end();
    await own.end();
    expect(outputs).toEqual(['a1', 'b1']);
  });

  it('hires whoever is free as soon as there is a block for him, and no more', async () => {
    const [two, three, four] = [handOperated('2'), handOperated('3'), handOperated('4')];
    const { outputs, compress, crew } = open(two, three, four);
    await compress('a');
    expect(crew.hands).toBe(1);
    await compress('b', 'c');
    expect(crew.hands).toBe(3);
    await three.end();
    await two.end();
    expect(outputs).toEqual(['c3', 'b2']);
    expect(four.release).not.toHaveBeenCalled();
  });

  it('lets a helper go on as long as there are blocks, and go when there are none', async () => {
    const two = handOperated('2');
    const { outputs, compress, crew } = open(two);
    await compress('a', 'b', 'c');
    await two.end();
    expect(two.release).not.toHaveBeenCalled();
    await two.end();
    expect(two.release).toHaveBeenCalledTimes(1);
    expect(outputs).toEqual(['b2', 'c2']);
    expect(crew.hands).toBe(1);
  });

  it('has more helpers come when one has found that there are more', async () => {
    const [two, three] = [handOperated('2'), handOperated('3')];
    const { hire, compress, crew } = open(two, three);
    // The pool looks as if nobody else was free, as long as the first one is on his way.
    hire.mockReturnValueOnce(Promise.resolve(two.lease)).mockReturnValueOnce(undefined);
    await compress('a', 'b', 'c');
    expect(crew.hands).toBe(3);
  });

  it('lets a helper go who is awaited by others, at the latest when his block is done', async () => {
    const [two, three] = [handOperated('2'), handOperated('3')];
    const { areAwaited, compress, own, outputs } = open(two, three);
    areAwaited.mockReturnValueOnce(false).mockReturnValue(true);
    await compress('a', 'b', 'c');
    expect(three.release).toHaveBeenCalledTimes(1);
    await two.end();
    expect(two.release).toHaveBeenCalledTimes(1);
    await own.end();
    await own.end();
    expect(outputs).toEqual(['b2', 'a1', 'c1']);
  });

  it('does again what a helper failed at, though its own context has rested meanwhile', async () => {
    const two = handOperated('2');
    const { own, outputs, compress } = open(two);
    await compress('a', 'b');
    await own.end();
    await two.end(new Error('revoked'));
    expect(two.release).toHaveBeenCalledTimes(1);
    await own.end();
    expect(outputs).toEqual(['a1', 'b1']);
  });

  it('does without a helper who does not come', async () => {
    const { own, hire, outputs, compress, crew } = open();
    hire.mockReturnValueOnce(Promise.reject(new Error('the pool is closed')));
    await compress('a', 'b');
    expect(crew.hands).toBe(1);
    await own.end();
    await own.end();
    expect(outputs).toEqual(['a1', 'b1']);
  });

  it('fails as a whole with its own context, which rests then', async () => {
    const two = handOperated('2');
    const { own, outputs, compress, crew } = open(two);
    await compress('a', 'b', 'c');
    await own.end(new Error('no memory'));
    await crew.stop();
    await two.end(new Error('no memory either'));
    await compress('d');
    expect(outputs).toEqual(['no memory', 'no memory', 'no memory', 'no memory']);
    expect(own.compress).toHaveBeenCalledTimes(1);
    expect(two.release).toHaveBeenCalledTimes(1);
  });

  it('begins nothing more when it is stopped, and tells when its own context rests', async () => {
    const two = handOperated('2');
    const { own, hire, outputs, compress, crew } = open(two);
    await compress('a', 'b', 'c', 'd');
    const rests = jest.fn();
    void crew.stop(new Error('over')).then(rests);
    await turn();
    expect(outputs).toEqual(['over', 'over']);
    expect(hire.mock.calls[0]?.[0].aborted).toBe(true);
    expect(rests).not.toHaveBeenCalled();
    await own.end();
    expect(rests).toHaveBeenCalledTimes(1);
    await two.end();
    expect(two.release).toHaveBeenCalledTimes(1);
    for (const { compress } of [own, two]) expect(compress).toHaveBeenCalledTimes(1);
  });
});
