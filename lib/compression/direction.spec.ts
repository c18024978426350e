import { describe, expect, it } from '@jest/globals';
import type { Coder } from './codec.js';
import { Direction } from './direction.js';
import { Traffic } from './traffic.js';

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
