import { describe, expect, it } from '@jest/globals';
import { Command } from 'ioredis';
import { InFlight } from './in-flight.js';

function commands(count: number): Command[] {
  return Array.from({ length: count }, () => {
    const command = new Command('get', ['key']);
    command.promise.catch(() => undefined);
    return command;
  });
}

describe('Commands in flight', () => {
  it('are those that are not settled', () => {
    const inFlight = new InFlight();
    const [first, second] = commands(2) as [Command, Command];
    inFlight.note(first);
    inFlight.note(second);
    inFlight.note(second);
    first.resolve('value');
    expect([...inFlight]).toEqual([second]);
    expect(inFlight.isEmpty).toBe(false);
    second.reject(new Error('lost'));
    expect(inFlight.isEmpty).toBe(true);
  });

  it('are forgotten when they are settled, however many there were', () => {
    const inFlight = new InFlight();
    const [waiting] = commands(1) as [Command];
    inFlight.note(waiting);
    for (const command of commands(2_000)) {
      inFlight.note(command);
      command.resolve('value');
    }
    expect([...inFlight]).toEqual([waiting]);
  });

  it('can be waited for', async () => {
    const inFlight = new InFlight();
    const [one, other] = commands(2) as [Command, Command];
    inFlight.note(one);
    inFlight.note(other);
    const settled = inFlight.settled();
    one.resolve('value');
    other.reject(new Error('lost'));
    await settled;
    expect(inFlight.isEmpty).toBe(true);
  });
});
