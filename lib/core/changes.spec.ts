import { describe, expect, it, jest } from '@jest/globals';
import { advance, useFakeTime, watch } from '../../test/support/fake-time.js';
import { Changes } from './changes.js';

useFakeTime();

describe('waiting until something holds', () => {
  it('is over at once when it holds already', async () => {
    await expect(new Changes().until(() => true, 100)).resolves.toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends with the change after which it holds, and leaves no timer', async () => {
    const changes = new Changes();
    let count = 0;
    const waiting = watch(changes.until(() => count === 2, 100));
    for (; count < 2; count += 1) {
      changes.tell();
      await advance(0);
      expect(waiting.state).toBe('pending');
    }
    changes.tell();
    await advance(0);
    expect(waiting.value).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends when the time is up, with what holds then', async () => {
    const changes = new Changes();
    let unnoticed = false;
    const [vain, lucky] = [
      watch(changes.until(() => false, 100)),
      watch(changes.until(() => unnoticed, 100)),
    ];
    await advance(99);
    expect([vain.state, lucky.state]).toEqual(['pending', 'pending']);
    unnoticed = true;
    await advance(1);
    expect([vain.value, lucky.value]).toEqual([false, true]);
  });

  it('never ends by itself when there is no time limit', async () => {
    const changes = new Changes();
    const waiting = watch(changes.until(() => false, Infinity));
    await advance(24 * 3_600_000);
    expect(waiting.state).toBe('pending');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('may be done by several for several things', async () => {
    const changes = new Changes();
    let level = 0;
    const waiting = [1, 2, 3].map((wanted) => watch(changes.until(() => level >= wanted, 1_000)));
    level = 2;
    changes.tell();
    await advance(0);
    expect(waiting.map(({ value }) => value)).toEqual([true, true, undefined]);
  });
});
