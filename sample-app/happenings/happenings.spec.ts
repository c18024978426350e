import { describe, expect, it } from '@jest/globals';
import { happeningOf, type Noted } from './happening.js';
import { Happenings } from './happenings.js';

const noted = (text: string, source = 'cache'): Noted => ({ source, level: 'info', text });

describe('the happenings', () => {
  it('are told in the order in which they came', () => {
    const happenings = new Happenings();
    happenings.tell(noted('one'));
    happenings.tell(noted('two'));
    expect(happenings.recent).toMatchObject([
      { text: 'one', number: 1, count: 1 },
      { text: 'two', number: 2, count: 1 },
    ]);
  });

  it('are one with a count when the same comes many times in a row', () => {
    const happenings = new Happenings();
    for (const text of ['same', 'same', 'same', 'other', 'same']) happenings.tell(noted(text));
    expect(happenings.recent).toMatchObject([
      { text: 'same', number: 1, count: 3 },
      { text: 'other', number: 2, count: 1 },
      { text: 'same', number: 3, count: 1 },
    ]);
  });

  it('keep apart what comes from different pools', () => {
    const happenings = new Happenings();
    happenings.tell(noted('same', 'cache'));
    happenings.tell(noted('same', 'archive'));
    expect(happenings.recent).toHaveLength(2);
  });

  it('are forgotten, the oldest first, when there are many', () => {
    const happenings = new Happenings();
    for (let at = 1; at <= 1_000; at++) happenings.tell(noted(`${at}`));
    expect(happenings.recent).toHaveLength(30);
    expect(happenings.recent[0]).toMatchObject({ text: '971' });
  });
});

describe("what a pool's event says to visitors", () => {
  it.each([
    { type: 'acquired', waitMs: 1 },
    { type: 'released', useMs: 1 },
  ] as const)('is nothing where it comes with every call: $type', (happening) => {
    expect(happeningOf({ pool: 'cache', ...happening })).toBeUndefined();
  });

  it('is the code of an error and none of its words', () => {
    const error = Object.assign(new Error('connect to 10.0.0.7 as secret'), { code: 'ECONNREFUSED' });
    expect(happeningOf({ pool: 'cache', type: 'breaker-opened', cause: error })).toEqual({
      source: 'cache',
      level: 'bad',
      text: 'opened its breaker: ECONNREFUSED',
    });
  });

  it.each([
    [new TypeError('secret'), ': TypeError'],
    [new Error('secret'), ''],
    ['secret', ''],
    [undefined, ''],
  ])('is the kind of an error that has no code, if it has one: %p', (error, kind) => {
    const said = happeningOf({ pool: 'cache', type: 'create-failed', error });
    expect(said?.text).toBe(`could not open a resource${kind}`);
  });
});
