import { describe, expect, it } from '@jest/globals';
import { blockTimeOf } from './block-time.js';

/** As one would type it. */
function blockTimeOfLine(line: string): number {
  const [name = '', ...args] = line.split(' ');
  return blockTimeOf(name, args);
}

describe('The time for which a command blocks at most', () => {
  it.each([
    ['blpop a b 2', 2_000],
    ['BRPOP a 0.05', 50],
    ['brpoplpush a b 1', 1_000],
    ['blmove a b LEFT RIGHT 3', 3_000],
    ['bzpopmin a 4', 4_000],
    ['bzpopmax a 4', 4_000],
    ['blmpop 5 1 a LEFT', 5_000],
    ['bzmpop 5 1 a MIN', 5_000],
    ['wait 1 70', 70],
    ['waitaof 1 0 80', 80],
    ['xread COUNT 1 BLOCK 90 STREAMS s $', 90],
    ['xreadgroup GROUP g c block 90 STREAMS s >', 90],
  ])('is read from %s', (line, ms) => {
    expect(blockTimeOfLine(line)).toBe(ms);
  });

  it.each([
    'blpop a 0',
    'blmpop 0 1 a LEFT',
    'wait 1 0',
    'xread BLOCK 0 STREAMS s $',
    'blpop a soon',
    'blnew a 1',
  ])('has no end with %s', (line) => {
    expect(blockTimeOfLine(line)).toBe(Infinity);
  });

  it('is not known where it is something that cannot be made a number', () => {
    expect(blockTimeOf('blpop', ['a', Object.create(null)])).toBe(Infinity);
  });

  it('is read from numbers and buffers, too', () => {
    expect(blockTimeOf('blpop', ['a', 2])).toBe(2_000);
    expect(blockTimeOf('blpop', ['a', Buffer.from('2')])).toBe(2_000);
  });
});
