import { describe, expect, it } from '@jest/globals';
import { Tallies } from './tallies.js';
import { Tally } from './tally.js';

describe('A tally', () => {
  it('has nothing before a value came', () => {
    expect(new Tally({}, [1, 2])).toMatchObject({ count: 0, sum: 0, counts: [0, 0, 0] });
  });

  it('counts a value in the first bucket whose limit it does not pass, and beyond all limits in the last', () => {
    const tally = new Tally({}, [1, 10, 100]);
    for (const value of [0, 1, 1.5, 10, 99, 100, 100.1, Infinity]) tally.record(value);
    expect(tally.counts).toEqual([2, 2, 2, 2]);
  });

  it('knows how many values there were, what they are together, and the least and the greatest', () => {
    const tally = new Tally({ pool: 'one' }, [10]);
    for (const value of [3, 40, 0.5]) tally.record(value);
    expect(tally).toMatchObject({ attributes: { pool: 'one' }, count: 3, sum: 43.5, min: 0.5, max: 40 });
  });

  it('begins again when it is reset', () => {
    const tally = new Tally({}, [10]);
    tally.record(70);
    tally.reset();
    expect(tally).toMatchObject({ count: 0, sum: 0, counts: [0, 0] });
    tally.record(20);
    expect(tally).toMatchObject({ count: 1, sum: 20, min: 20, max: 20, counts: [0, 1] });
  });
});

describe('The tallies of a histogram', () => {
  it('are one for each set of attributes, whoever asks', () => {
    const tallies = new Tallies([1]);
    expect(tallies.of({ pool: 'one' })).toBe(tallies.of({ pool: 'one' }));
    expect(tallies.of({ pool: 'two' })).not.toBe(tallies.of({ pool: 'one' }));
  });

  it('are shown where there was a value, until they are reset', () => {
    const tallies = new Tallies([1]);
    const [one] = [tallies.of({ pool: 'one' }), tallies.of({ pool: 'two' })];
    one.record(1);
    expect(tallies.read()).toEqual([one]);
    tallies.reset();
    expect(tallies.read()).toEqual([]);
    one.record(1);
    expect(tallies.read()).toEqual([one]);
  });
});
