import { beforeEach, describe, expect, it } from '@jest/globals';
import { Observable, Subject } from 'rxjs';
import { MessageBuffer, type MayTellOfLoss } from './message-buffer.js';

interface Numbered extends MayTellOfLoss {
  readonly number: number;
}

let source: Subject<Numbered>;
let buffer: MessageBuffer<Numbered>;

beforeEach(() => {
  source = new Subject();
  buffer = new MessageBuffer(source, 2);
});

const publish = (...messages: Numbered[]) => {
  for (const message of messages) source.next(message);
};

describe('A buffer of messages', () => {
  it('subscribes when the first message is asked for, and not before', async () => {
    expect(source.observed).toBe(false);
    const first = buffer.next();
    expect(source.observed).toBe(true);
    publish({ number: 1 });
    await expect(first).resolves.toEqual({ done: false, value: { number: 1 } });
  });

  it('serves those who wait in their order', async () => {
    const all = Promise.all([buffer.next(), buffer.next()]);
    publish({ number: 1 }, { number: 2 });
    await expect(all).resolves.toMatchObject([{ value: { number: 1 } }, { value: { number: 2 } }]);
  });

  it('drops the oldest when it is full, and tells how many on the next', async () => {
    const first = buffer.next();
    publish(...[1, 2, 3, 4, 5].map((number) => ({ number })));
    await first;
    await expect(buffer.next()).resolves.toMatchObject({ value: { number: 4, lost: 2 } });
    await expect(buffer.next()).resolves.toEqual({ done: false, value: { number: 5 } });
  });

  it.each<[lost: MayTellOfLoss['lost'][], told: MayTellOfLoss['lost']]>([
    [[undefined, 'unknown', undefined, undefined], 'unknown'],
    [[undefined, undefined, 'unknown', undefined], 'unknown'],
    [[undefined, 3, undefined, undefined], 4],
  ])('forgets no loss that messages told of themselves: %j', async (losses, told) => {
    const first = buffer.next();
    publish(...losses.map((lost, number) => (lost === undefined ? { number } : { number, lost })));
    await first;
    await expect(buffer.next()).resolves.toMatchObject({ value: { lost: told } });
  });

  it('gives what it has before it ends', async () => {
    const first = buffer.next();
    publish({ number: 1 }, { number: 2 });
    source.complete();
    await first;
    await expect(buffer.next()).resolves.toMatchObject({ value: { number: 2 } });
    await expect(buffer.next()).resolves.toEqual({ done: true, value: undefined });
  });

  it('gives what it has before it fails, and fails once', async () => {
    const first = buffer.next();
    publish({ number: 1 }, { number: 2 });
    source.error(new Error('no more'));
    await first;
    await expect(buffer.next()).resolves.toMatchObject({ value: { number: 2 } });
    await expect(buffer.next()).rejects.toThrow('no more');
    await expect(buffer.next()).resolves.toMatchObject({ done: true });
  });

  it('ends all who wait when the source ends: the first of them with its error', async () => {
    const waiting = Promise.allSettled([buffer.next(), buffer.next()]);
    source.error(new Error('no more'));
    await expect(waiting).resolves.toMatchObject([{ status: 'rejected' }, { value: { done: true } }]);
  });

  it('unsubscribes when it is left, and whoever waits is done', async () => {
    const waiting = buffer.next();
    await expect(buffer.return()).resolves.toMatchObject({ done: true });
    expect(source.observed).toBe(false);
    await expect(waiting).resolves.toMatchObject({ done: true });
    await expect(buffer.next()).resolves.toMatchObject({ done: true });
  });

  it('that is left before it began never subscribes', async () => {
    await buffer.return();
    await buffer.next();
    expect(source.observed).toBe(false);
  });

  it('hears a source that fails at once', async () => {
    const failing = new MessageBuffer(
      new Observable<Numbered>((subscriber) => subscriber.error(new Error('never'))),
      2,
    );
    await expect(failing.next()).rejects.toThrow('never');
  });
});
