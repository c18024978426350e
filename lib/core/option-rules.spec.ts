import { describe, expect, it } from '@jest/globals';
import {
  functionOf,
  integer,
  milliseconds,
  oneOf,
  optionProblems,
  plainObject,
  type OptionRule,
} from './option-rules.js';

describe('a rule', () => {
  it.each<[string, OptionRule, unknown[], unknown[], string]>([
    [
      'integer(1)',
      integer(1),
      [1, 2, Number.MAX_SAFE_INTEGER],
      [0, -1, 1.5, NaN, Infinity, '1', null, true, 1n],
      'an integer >= 1',
    ],
    ['integer(0, 9)', integer(0, 9), [0, 9], [-1, 10, 0.5], 'an integer from 0 to 9'],
    [
      'milliseconds()',
      milliseconds(),
      [1, 1.5, 2_147_483_647],
      [0, -1, 2_147_483_648, NaN, Infinity, '5'],
      'milliseconds from 1 to 2147483647',
    ],
    ["oneOf('a', 'b')", oneOf('a', 'b'), ['a', 'b'], ['c', 'A', '', 1], 'one of "a", "b"'],
    [
      "functionOf('(n) => void')",
      functionOf('(n) => void'),
      [() => 1, class {}],
      [{}, 'f', null],
      'a function (n) => void',
    ],
    ["plainObject('the limits')", plainObject('the limits'), [{}], [[], null, 'x', 1], 'the limits'],
  ])('%s knows what will do and says what is wanted instead', (_name, rule, good, bad, wanted) => {
    for (const value of good) expect([value, rule(value)]).toEqual([value, undefined]);
    for (const value of bad) expect([value, rule(value)]).toEqual([value, wanted]);
  });

  it('allows 0 where it switches something off', () => {
    expect(milliseconds('off')(0)).toBeUndefined();
    expect(milliseconds('off')(-1)).toBe('milliseconds from 0 (off) to 2147483647');
  });
});

describe('the problems of options', () => {
  const rules = { size: integer(1), delayMs: milliseconds('off'), mode: oneOf('fast', 'safe') };

  it('are none when every option will do, is missing or undefined', () => {
    expect(optionProblems({ size: 1, delayMs: 0, mode: 'fast' }, rules)).toEqual([]);
    expect(optionProblems({ size: undefined }, rules)).toEqual([]);
    expect(optionProblems({}, rules)).toEqual([]);
  });

  it('are all told, not only the first', () => {
    expect(optionProblems({ size: 0, delayMs: -5, mode: 'slow', colour: 1 }, rules)).toEqual([
      'size must be an integer >= 1, got 0',
      'delayMs must be milliseconds from 0 (off) to 2147483647, got -5',
      'mode must be one of "fast", "safe", got "slow"',
      'unknown option "colour"',
    ]);
  });

  it.each([
    ['Size', 'size'],
    ['delay', 'delayMs'],
    ['delayMillis', 'delayMs'],
    ['delayTimeout', 'delayMs'],
    ['DELAYMS', 'delayMs'],
  ])('name the option that was probably meant: %s', (given, meant) => {
    expect(optionProblems({ [given]: 1 }, rules)).toEqual([
      `unknown option "${given}"; did you mean "${meant}"?`,
    ]);
  });

  it.each(['', 'colour', '__proto__x', 'constructor', 'toString'])(
    'guess nothing where nothing is near: %p',
    (given) => {
      expect(optionProblems({ [given]: 1 }, rules)).toEqual([`unknown option "${given}"`]);
    },
  );

  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    ['redis://user:secret@host', 'a string'],
    [7, '7'],
    [[{ size: 1 }], 'an array'],
    [() => 1, 'a function'],
  ])('are one when the options are no object: %p', (given, seen) => {
    expect(optionProblems(given, rules)).toEqual([`the options must be an object, got ${seen}`]);
  });

  it.each<[unknown, string]>([
    ['hunter2', 'a string'],
    [['hunter2'], 'an array'],
    [{ password: 'hunter2' }, 'an object'],
    [() => 'hunter2', 'a function'],
    [Symbol('hunter2'), 'a symbol'],
    [null, 'null'],
    [NaN, 'NaN'],
    [true, 'true'],
    [5n, '5'],
  ])('never show what may be a secret: %p', (given, seen) => {
    const [problem] = optionProblems({ size: given }, rules);
    expect(problem).toBe(`size must be an integer >= 1, got ${seen}`);
  });
});
