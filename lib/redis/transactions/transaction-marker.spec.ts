import { describe, expect, it } from '@jest/globals';
import { Command } from 'ioredis';
import { neighbourOf } from './transaction-marker.js';

const slotOf = (key: string, keyPrefix = '') => new Command('get', [key], { keyPrefix }).getSlot();

describe('The neighbour of a key', () => {
  it.each([
    ['stock', ''],
    ['stock', 'app:'],
    ['stock', '{app}:'],
    ['user:{7}:stock', 'app:'],
    ['{user}', 'app:'],
    ['', 'app:'],
    ['ключ', ''],
    ['a}b', ''],
    ['a{b', 'app:'],
    ['a{}b', ''],
    ['a{}{b}', 'app:'],
    ['stock', 'a}:'],
  ])('%j with the prefix %j is in its hash slot, and begins with it', (key, prefix) => {
    const neighbour = neighbourOf(key, prefix);
    expect(slotOf(neighbour, prefix)).toBe(slotOf(key, prefix));
    expect(neighbour.startsWith(key)).toBe(true);
  });

  it('is another one each time', () => {
    expect(neighbourOf('stock')).not.toBe(neighbourOf('stock'));
  });
});
