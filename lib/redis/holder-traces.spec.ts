import { describe, expect, it } from '@jest/globals';
import { Command } from 'ioredis';
import { HolderTraces } from './holder-traces.js';
import { FakeRedisClient } from './redis-client.fake.js';

/** Whether a holder who sent these leaves the connection as it was. */
function leavesNone(...lines: string[]): boolean {
  const client = new FakeRedisClient();
  const traces = new HolderTraces(client.asRedis);
  for (const line of lines) {
    const [name = '', ...args] = line.split(' ');
    client.sendCommand(new Command(name, args));
  }
  expect(client.sent).toHaveLength(lines.length);
  return traces.none;
}

describe('A holder leaves', () => {
  it('no trace by ordinary commands, by those that block, and by a whole transaction', () => {
    expect(leavesNone('get key', 'blpop list 0', 'client id')).toBe(true);
    expect(leavesNone('multi', 'set key value', 'exec')).toBe(true);
    expect(leavesNone('MULTI', 'set key value', 'DISCARD')).toBe(true);
  });

  it.each([
    'select 1',
    'WATCH key',
    'subscribe news',
    'client setname me',
    'auth secret',
    'monitor',
    'multi',
  ])('a trace by %s', (line) => {
    expect(leavesNone('get key', line)).toBe(false);
  });

  it('a trace by a change inside a transaction', () => {
    expect(leavesNone('multi', 'select 1', 'exec')).toBe(false);
  });

  it('a trace by a command that is not answered yet', () => {
    const client = new FakeRedisClient();
    const traces = new HolderTraces(client.asRedis);
    client.commandQueue.push('get key');
    expect(traces.none).toBe(false);
    client.commandQueue.pop();
    expect(traces.none).toBe(true);
  });

  it('a trace by a listener', () => {
    const client = new FakeRedisClient();
    client.on('close', () => undefined);
    const traces = new HolderTraces(client.asRedis);
    expect(traces.none).toBe(true);
    client.on('message', () => undefined);
    expect(traces.none).toBe(false);
  });
});
