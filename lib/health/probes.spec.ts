import { describe, expect, it } from '@jest/globals';
import { advance, failureOf, sleep, useFakeTime } from '../../test/support/fake-time.js';
import type { ResourcePool } from '../core/resource-pool.js';
import { Probes, type Question } from './probes.js';

useFakeTime();

const pool = () => ({}) as ResourcePool<unknown>;

/** A question whose answer takes a while, and is how often it was asked. */
function question(ms: number, outcome = (times: number): number => times) {
  let times = 0;
  const ask: Question<number>['ask'] = async () => {
    times += 1;
    const mine = times;
    await sleep(ms);
    return outcome(mine);
  };
  return { name: 'PING', ask };
}

const hangs: Question<never> = { name: 'PING', ask: () => new Promise<never>(() => undefined) };

describe('A probe', () => {
  it('is shared by all who ask while it is under way', async () => {
    const probes = new Probes();
    const [asked, one] = [question(50), pool()];
    const answers = Array.from({ length: 20 }, () =>
      probes.ask(one, asked, { timeoutMs: 100, cacheForMs: 0 }),
    );
    await advance(50);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([1]));
    const again = probes.ask(one, asked, { timeoutMs: 100, cacheForMs: 0 });
    await advance(50);
    await expect(again).resolves.toBe(2);
  });

  it('is kept for as long as it may be, counted from the answer, a failure like a success', async () => {
    const fails = (times: number) => {
      throw new Error(`try ${times}`);
    };
    const [probes, one] = [new Probes(), pool()];
    for (const outcome of [undefined, fails]) {
      const asked = question(50, outcome);
      const told: unknown[] = [];
      for (const pauseMs of [0, 99, 1]) {
        await advance(pauseMs);
        const answer = probes.ask(
          one,
          { ...asked, name: String(outcome) },
          { timeoutMs: 100, cacheForMs: 100 },
        );
        const settled =
          outcome === undefined ? answer : failureOf(answer).then((error) => (error as Error).message);
        if (told.length !== 1) await advance(50);
        told.push(await settled);
      }
      expect(told).toEqual(outcome === undefined ? [1, 1, 2] : ['try 1', 'try 1', 'try 2']);
    }
  });

  it('is one for each pool, question and deadline', async () => {
    const probes = new Probes();
    const [asked, one] = [question(10), pool()];
    const answers = [
      probes.ask(one, asked, { timeoutMs: 100, cacheForMs: 0 }),
      probes.ask(pool(), asked, { timeoutMs: 100, cacheForMs: 0 }),
      probes.ask(one, asked, { timeoutMs: 200, cacheForMs: 0 }),
      probes.ask(one, { ...asked, name: 'INFO' }, { timeoutMs: 100, cacheForMs: 0 }),
    ];
    await advance(10);
    await expect(Promise.all(answers)).resolves.toEqual([1, 2, 3, 4]);
  });

  it('ends though the pool does not keep to the deadline', async () => {
    const failure = failureOf(new Probes().ask(pool(), hangs, { timeoutMs: 500, cacheForMs: 0 }));
    await advance(600);
    await expect(failure).resolves.toEqual(new Error('no answer to PING within 500 ms'));
  });
});
