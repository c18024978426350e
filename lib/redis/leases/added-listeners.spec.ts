import { EventEmitter } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { AddedListeners } from './added-listeners.js';

function anEmitter() {
  const emitter = new EventEmitter();
  const ours = jest.fn();
  emitter.on('close', ours);
  return { emitter, ours, added: new AddedListeners(emitter) };
}

describe('Listeners that were added', () => {
  it('are removed, and no others', () => {
    const { emitter, ours, added } = anEmitter();
    const theirs = jest.fn();
    emitter.on('close', theirs).on('close', theirs).once('message', theirs);
    expect(added.remove()).toBe(true);
    emitter.emit('close');
    emitter.emit('message');
    expect(theirs).not.toHaveBeenCalled();
    expect(ours).toHaveBeenCalledTimes(1);
  });

  it('may be removed by who added them, or after one call', () => {
    const { emitter, added } = anEmitter();
    const theirs = jest.fn();
    emitter.on('message', theirs).once('message', theirs);
    emitter.emit('message');
    emitter.off('message', theirs);
    expect(added.remove()).toBe(true);
    expect(emitter.eventNames()).not.toContain('message');
  });

  it('are not all there was when others are gone', () => {
    const { emitter, added } = anEmitter();
    emitter.removeAllListeners();
    expect(added.remove()).toBe(false);
  });
});
