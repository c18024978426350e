import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { map, Subject } from 'rxjs';
import { IsolatedEvents } from './isolated-events.js';

describe('events', () => {
  let source: Subject<number>;
  let events$: IsolatedEvents<number>;
  let warnings: unknown[];
  let emitWarning: jest.Spied<typeof process.emitWarning>;

  beforeEach(() => {
    source = new Subject();
    events$ = new IsolatedEvents(source);
    warnings = [];
    emitWarning = jest
      .spyOn(process, 'emitWarning')
      .mockImplementation((warning) => void warnings.push(warning));
  });

  afterEach(() => emitWarning.mockRestore());

  it('reach every listener, although one of them throws', () => {
    const heard: number[] = [];
    const boom = new Error('boom');
    events$.subscribe(() => {
      throw boom;
    });
    events$.subscribe({ next: (value) => heard.push(value) });
    source.next(1);
    source.next(2);
    expect(heard).toEqual([1, 2]);
    expect(warnings).toEqual([boom, boom]);
  });

  it('go on for a listener that threw once', () => {
    const heard: number[] = [];
    events$.subscribe((value) => {
      heard.push(value);
      if (value === 1) throw new Error('once');
    });
    source.next(1);
    source.next(2);
    expect(heard).toEqual([1, 2]);
  });

  it('pass through operators, complete, and end with unsubscribe', () => {
    const heard: unknown[] = [];
    const subscription = events$.pipe(map((value) => value * 2)).subscribe((value) => heard.push(value));
    events$.subscribe({ complete: () => heard.push('complete') });
    source.next(1);
    subscription.unsubscribe();
    source.next(2);
    source.complete();
    expect(heard).toEqual([2, 'complete']);
    expect(source.observed).toBe(false);
  });

  it('are heard by async listeners as well, whose failures end nothing', async () => {
    const boom = new Error('boom');
    events$.subscribe(() => Promise.reject(boom) as unknown as void);
    source.next(1);
    await turn();
    expect(warnings).toEqual([boom]);
  });

  it('may make a listener throw what has no words', () => {
    events$.subscribe(() => {
      throw Object.create(null);
    });
    source.next(1);
    expect(warnings).toEqual(['an error without words']);
  });
});
