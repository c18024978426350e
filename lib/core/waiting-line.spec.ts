import { describe, expect, it } from '@jest/globals';
import { type Priority, WaitingLine, type Waiting } from './waiting-line.js';

interface Person extends Waiting {
  readonly name: string;
}

function aPerson(name: string, since = 0, priority: Priority = 'normal'): Person {
  return { name, since, priority };
}

function aLineOf(...people: Person[]) {
  const line = new WaitingLine<Person>();
  for (const person of people) line.join(person);
  return line;
}

function everybodyIn(line: WaitingLine<Person>): string[] {
  const names: string[] = [];
  for (let person = line.next(); person !== undefined; person = line.next()) names.push(person.name);
  return names;
}

describe('the waiting line', () => {
  it('has nobody next while it is empty', () => {
    const line = aLineOf();
    expect(line.next()).toBeUndefined();
    expect(line.length).toBe(0);
  });

  it('is first come, first served', () => {
    const line = aLineOf(aPerson('a'), aPerson('b'), aPerson('c'));
    expect(line.length).toBe(3);
    expect(everybodyIn(line)).toEqual(['a', 'b', 'c']);
    expect(line.length).toBe(0);
  });

  it.each([
    ['first', 'a', ['b', 'c']],
    ['middle', 'b', ['a', 'c']],
    ['last', 'c', ['a', 'b']],
  ])('closes up when the %s one leaves', (_where, name, others) => {
    const people = [aPerson('a'), aPerson('b'), aPerson('c')];
    const line = aLineOf(...people);
    line.leave(people.find((person) => person.name === name)!);
    expect(line.length).toBe(2);
    line.join(aPerson('d'));
    expect(everybodyIn(line)).toEqual([...others, 'd']);
  });

  it('can be joined again after everybody left', () => {
    const person = aPerson('a');
    const line = aLineOf(person);
    line.leave(person);
    line.join(person);
    expect(everybodyIn(line)).toEqual(['a']);
  });

  it('prefers the higher priority among those who came together', () => {
    const line = aLineOf(aPerson('low', 0, 'low'), aPerson('normal'), aPerson('high', 0, 'high'));
    expect(everybodyIn(line)).toEqual(['high', 'normal', 'low']);
  });

  it.each([
    ['high', 'normal', 2_000],
    ['normal', 'low', 2_000],
    ['high', 'low', 4_000],
  ] as const)('lets %s overtake %s for a while: until it comes %d ms later', (higher, lower, ms) => {
    const overtaken = aLineOf(aPerson('lower', 0, lower), aPerson('higher', ms, higher));
    expect(everybodyIn(overtaken)).toEqual(['higher', 'lower']);
    const aged = aLineOf(aPerson('lower', 0, lower), aPerson('higher', ms + 1, higher));
    expect(everybodyIn(aged)).toEqual(['lower', 'higher']);
  });

  it('lets nobody starve under an endless stream of others', () => {
    const line = aLineOf(aPerson('patient', 0, 'low'));
    let servedAt: number | undefined;
    for (let now = 0; now < 10_000 && servedAt === undefined; now += 100) {
      line.join(aPerson('urgent', now, 'high'));
      if (line.next()?.name === 'patient') servedAt = now;
    }
    expect(servedAt).toBe(4_100);
  });

  it('keeps its order when people leave at random', () => {
    const people = Array.from({ length: 1_000 }, (_, index) => aPerson(String(index), index));
    const line = aLineOf(...people);
    const staying = people.filter((_, index) => (index * 7919) % 3 !== 0);
    for (const person of people) if (!staying.includes(person)) line.leave(person);
    expect(everybodyIn(line)).toEqual(staying.map(({ name }) => name));
  });
});
