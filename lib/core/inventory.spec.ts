import { describe, expect, it } from '@jest/globals';
import { Inventory } from './inventory.js';

interface Place {
  readonly number: number;
  usedAt: number;
}

function anInventory(order: 'lifo' | 'fifo' = 'lifo') {
  let made = 0;
  return new Inventory<Place>(() => ({ number: (made += 1), usedAt: 0 }), order);
}

/** An inventory in which `count` slots lie idle, used in the order of their numbers. */
function aStocked(count: number, order?: 'lifo' | 'fifo') {
  const inventory = anInventory(order);
  const slots = Array.from({ length: count }, () => inventory.add());
  for (const slot of slots) {
    slot.usedAt = slot.number;
    inventory.shelve(slot);
  }
  return { inventory, slots };
}

const numbersOf = (slots: Iterable<Place>) => [...slots].map(({ number }) => number);

describe('the inventory', () => {
  it('is empty at first', () => {
    const inventory = anInventory();
    expect(inventory).toMatchObject({ size: 0, idle: 0 });
    expect(inventory.take()).toBeUndefined();
    expect(inventory.size).toBe(0);
  });

  it('adds a slot on the spot, which is out', () => {
    const inventory = anInventory();
    expect(inventory.add()).toMatchObject({ number: 1 });
    expect(inventory).toMatchObject({ size: 1, idle: 0 });
    expect(inventory.take()).toBeUndefined();
  });

  it('makes a new slot when asked to add one, even while others lie idle', () => {
    const { inventory } = aStocked(2);
    expect(inventory.add().number).toBe(3);
    expect(inventory).toMatchObject({ size: 3, idle: 2 });
    expect(numbersOf(inventory.idleSlots())).toEqual([1, 2]);
  });

  it.each([
    ['lifo', [3, 2, 1]],
    ['fifo', [1, 2, 3]],
  ] as const)('gives idle slots out in %s order', (order, numbers) => {
    const { inventory } = aStocked(3, order);
    expect([inventory.take(), inventory.take(), inventory.take()].map((slot) => slot?.number)).toEqual(
      numbers,
    );
    expect(inventory.take()).toBeUndefined();
    expect(inventory).toMatchObject({ size: 3, idle: 0 });
  });

  it.each(['lifo', 'fifo'] as const)('lists the idle slots, those used longest ago first: %s', (order) => {
    const { inventory } = aStocked(3, order);
    expect(numbersOf(inventory.idleSlots())).toEqual([1, 2, 3]);
  });

  it.each(['lifo', 'fifo'] as const)('shows which slot is taken next: %s', (order) => {
    const { inventory } = aStocked(3, order);
    const { next } = inventory;
    expect(inventory.take()).toBe(next);
    expect(anInventory(order).next).toBeUndefined();
  });

  it.each(['lifo', 'fifo'] as const)(
    'puts a slot that was out without being used to where it was: %s',
    (order) => {
      const { inventory, slots } = aStocked(4, order);
      for (const slot of [slots[1]!, slots[0]!, slots[3]!]) inventory.takeThis(slot);
      for (const slot of [slots[3]!, slots[0]!, slots[1]!]) inventory.shelve(slot);
      expect(numbersOf(inventory.idleSlots())).toEqual([1, 2, 3, 4]);
    },
  );

  it('lists all slots, in and out, in the order in which they were added', () => {
    const { inventory } = aStocked(2);
    inventory.take();
    inventory.add();
    expect(numbersOf(inventory.slots())).toEqual([1, 2, 3]);
  });

  it('takes a certain slot out from wherever it lies', () => {
    const { inventory, slots } = aStocked(3);
    expect(inventory.takeThis(slots[1]!)).toBe(true);
    expect(numbersOf(inventory.idleSlots())).toEqual([1, 3]);
    expect(inventory).toMatchObject({ size: 3, idle: 2 });
  });

  it('does not take out a slot that is out already', () => {
    const { inventory, slots } = aStocked(2);
    inventory.takeThis(slots[0]!);
    expect(inventory.takeThis(slots[0]!)).toBe(false);
    expect(inventory).toMatchObject({ size: 2, idle: 1 });
  });

  it('forgets a slot that is removed', () => {
    const { inventory } = aStocked(2);
    const slot = inventory.take()!;
    inventory.remove(slot);
    expect(inventory).toMatchObject({ size: 1, idle: 1 });
    expect(numbersOf(inventory.slots())).toEqual([1]);
  });

  it('keeps count through ten thousand moves', () => {
    const inventory = anInventory();
    const out: Place[] = [];
    for (let move = 0; move < 10_000; move += 1) {
      if (move % 7 === 0) out.push(inventory.add());
      else if (move % 11 === 0) inventory.remove(out.pop()!);
      else if (move % 2 === 0)
        inventory.shelve(Object.assign(out.pop() ?? inventory.add(), { usedAt: move }));
      else out.push(inventory.take() ?? inventory.add());
      expect(inventory.size).toBe(inventory.idle + out.length);
    }
  });
});
