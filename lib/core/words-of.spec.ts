import { describe, expect, it } from '@jest/globals';
import { wordsOf } from './words-of.js';

function selfContained(): AggregateError {
  const error = new AggregateError([]);
  error.errors = [error];
  return error;
}

function fail(): never {
  throw new Error('a trap');
}

describe('the words of an error', () => {
  it.each<[unknown, string]>([
    [new Error('boom'), 'boom'],
    [new TypeError(''), 'TypeError'],
    ['boom', 'boom'],
    [undefined, 'undefined'],
    [null, 'null'],
    [7, '7'],
    [
      new AggregateError([
        new Error('connect ECONNREFUSED ::1:1'),
        new Error('connect ECONNREFUSED 127.0.0.1:1'),
      ]),
      'connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1',
    ],
    [new AggregateError([], 'all failed'), 'all failed'],
    [Symbol('boom'), 'Symbol(boom)'],
  ])('are found whatever was thrown', (cause, words) => {
    expect(wordsOf(cause)).toBe(words);
  });

  it('tell no secrets', () => {
    const cause = new Error('connect postgres://app:hush@db/orders failed');
    expect(wordsOf(new AggregateError([cause]))).toBe('connect postgres://***@db/orders failed');
  });

  it('are found even in what cannot be turned into words', () => {
    expect(() => wordsOf(Object.create(null))).not.toThrow();
  });

  it.each<[string, unknown]>([
    ['a symbol for a message', Object.assign(new Error('boom'), { message: Symbol('boom') })],
    [
      'a message that is no string',
      Object.assign(new Error('boom'), { message: Object.create(null) as unknown }),
    ],
    ['no errors, though it stands for several', Object.assign(new AggregateError([]), { errors: undefined })],
    ['itself for its cause', selfContained()],
    ['traps', new Proxy({}, { getPrototypeOf: fail })],
  ])('are found even in what has %s', (_what, cause) => {
    expect(wordsOf(cause)).toEqual(expect.any(String));
  });
});
