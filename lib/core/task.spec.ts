import { describe, expect, it } from '@jest/globals';
import type { Held } from './lease-holder.js';
import { Task, type Contended } from './task.js';

const POOL: Contended = { name: 'p', isExhausted: true, tasks: () => [] };
const HELD: Held = { state: 'leased', leasedAt: 0, place: undefined };
const MANY = 20_000;

describe('a task', () => {
  it('keeps nothing of all that were before it, where each began the next and ended', () => {
    let task = new Task(POOL, HELD);
    for (let job = 1; job < MANY; job += 1) {
      const next = task.run(() => new Task(POOL, HELD)) as Task;
      task.end();
      task = next;
    }
    expect(() => task.waitFor(POOL)()).not.toThrow();
    task.end();
  });

  it('is known as one that runs in another, though what was between them is over', () => {
    const outer = new Task(POOL, HELD);
    const between = outer.run(() => new Task({ ...POOL, name: 'q' }, HELD)) as Task;
    const inner = between.run(() => new Task({ ...POOL, name: 'r' }, HELD)) as Task;
    between.end();
    expect(inner.deadlockWith(POOL)).toBe(outer);
    inner.end();
    outer.end();
  });
});
