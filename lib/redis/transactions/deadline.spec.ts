import { describe, expect, it } from '@jest/globals';
import { advance, useFakeTime } from '../../../test/support/fake-time.js';
import { Deadline } from './deadline.js';
import { pause } from './pause.js';

useFakeTime();

const late = () => new Error('late');

describe('A deadline', () => {
  it('aborts its signal when the time since it was made is up, once it is armed', async () => {
    const deadline = new Deadline({ timeoutMs: 100 }, late);
    await advance(60);
    expect(deadline.leftMs).toBe(40);
    deadline.arm();
    await advance(39);
    expect(deadline.signal.aborted).toBe(false);
    await advance(1);
    expect(deadline.signal.reason).toEqual(new Error('late'));
    expect(deadline.leftMs).toBe(0);
  });

  it.each([undefined, 0])('never does without a limit (%p)', async (timeoutMs) => {
    const deadline = new Deadline({ timeoutMs }, late);
    deadline.arm();
    await advance(1_000_000);
    expect(deadline.signal.aborted).toBe(false);
    expect(deadline.leftMs).toBe(Infinity);
  });

  it('aborts with the signal of the caller and for his reason', () => {
    const caller = new AbortController();
    const deadline = new Deadline({ signal: caller.signal }, late);
    caller.abort('gone');
    expect(deadline.signal.reason).toBe('gone');
    expect(new Deadline({ signal: caller.signal }, late).signal.reason).toBe('gone');
  });

  it('that has ended does nothing any more', async () => {
    const caller = new AbortController();
    const deadline = new Deadline({ signal: caller.signal, timeoutMs: 10 }, late);
    deadline.arm();
    deadline.end();
    caller.abort('gone');
    await advance(100);
    expect(deadline.signal.aborted).toBe(false);
  });
});

describe('A pause', () => {
  it('ends when its time is up', async () => {
    let isOver = false;
    void pause(50, new AbortController().signal).then(() => (isOver = true));
    await advance(49);
    expect(isOver).toBe(false);
    await advance(1);
    expect(isOver).toBe(true);
  });

  it('ends with the signal, and for its reason', async () => {
    const caller = new AbortController();
    const paused = pause(50, caller.signal);
    caller.abort(new Error('gone'));
    await expect(paused).rejects.toThrow('gone');
    await expect(pause(50, caller.signal)).rejects.toThrow('gone');
  });
});
