import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { FakeCallers } from '../../test/support/fake-callers.js';
import { FakeFactory, type FakeResource } from '../../test/support/fake-factory.js';
import { FakeRandom } from '../../test/support/fake-random.js';
import { advance, useFakeTime, watch } from '../../test/support/fake-time.js';
import type { PoolOptions } from './pool.options.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

afterEach(() => {
  jest.restoreAllMocks();
});

const RUNS = 250;
const STEPS = 50;

describe('whatever happens, in whatever order', () => {
  it('the promises of the pool hold after every step', async () => {
    for (let seed = 1; seed <= RUNS; seed += 1) await new Run(seed).play();
  }, 60_000);
});

type Choice = readonly [name: string, act: () => void];

function often(times: number, ...choice: Choice): [Choice, ...Choice[]] {
  return [choice, ...Array.from({ length: times - 1 }, () => choice)];
}

/** One pool over a factory of changing moods, and callers who do as they like. The same seed plays the same run. */
class Run {
  readonly #random: FakeRandom;
  readonly #factory = new FakeFactory({ validate: true, reset: true });
  readonly #pool: ResourcePool<FakeResource>;
  readonly #callers: FakeCallers;
  readonly #lost = new Set<FakeResource>();
  readonly #steps: string[] = [];
  #sizeBefore = 0;

  /** What may happen next; what happens more often stands there more than once. */
  readonly #choices: [Choice, ...Choice[]] = [
    ...often(4, 'ask', () => this.#callers.ask()),
    ...often(2, 'run a task', () => this.#callers.runTask()),
    ...often(3, 'release', () => this.#callers.release()),
    ...often(1, 'end again', () => this.#callers.endAgain()),
    ...often(1, 'destroy', () => this.#callers.destroy()),
    ...often(1, 'leave', () => this.#callers.leave()),
    ...often(1, 'lose one', () => this.#loseOne()),
    ...often(1, 'change the mood', () => this.#changeMood()),
    ...often(1, 'resize', () => this.#resize()),
    ...often(1, 'suspend', () => this.#pool.suspend()),
    ...often(2, 'resume', () => this.#pool.resume()),
  ];

  constructor(readonly seed: number) {
    jest.useFakeTimers();
    this.#random = new FakeRandom(seed);
    jest.spyOn(Math, 'random').mockImplementation(this.#random.next);
    this.#pool = new ResourcePool('soak', this.#factory, this.#someOptions());
    this.#callers = new FakeCallers(this.#pool, this.#random);
    this.#watchOpening();
  }

  async play(): Promise<void> {
    try {
      for (let step = 0; step < STEPS; step += 1) await this.#step();
      await this.#end();
    } catch (error) {
      throw new Error(`seed ${this.seed}, after ${this.#steps.join(', ')}: ${String(error)}`, {
        cause: error,
      });
    }
  }

  async #step(): Promise<void> {
    const [name, act] = this.#random.oneOf(...this.#choices);
    this.#steps.push(name);
    act();
    this.#checkCounts();
    await advance(this.#random.oneOf(0, 0, 0, 1, 10, 50));
    this.#checkCounts();
    this.#checkHolders();
  }

  #checkCounts(): void {
    const { size, idle, leased, creating, closing, waiting, max } = this.#pool.stats();
    if (idle + leased + creating + closing !== size || Math.min(idle, leased, creating, closing, waiting) < 0)
      throw new Error(
        `${idle} idle, ${leased} leased, ${creating} creating and ${closing} closing are not ${size}`,
      );
    // A smaller max takes nothing away at once, but nothing may be added beyond it.
    if (size > Math.max(max, this.#sizeBefore)) throw new Error(`${size} resources of ${max}`);
    this.#sizeBefore = size;
  }

  #checkHolders(): void {
    const { holding, complaints } = this.#callers;
    this.#callers.lookAtHands((resource) => this.#lost.has(resource));
    expect(complaints).toEqual([]);
    expect(new Set(holding.values()).size).toBe(holding.size);
    expect(this.#pool.stats().leased).toBe(holding.size);
    for (const resource of holding.values()) expect(this.#factory.destroyed.includes(resource)).toBe(false);
  }

  /** Neither in the pool's books nor outside is anything opened beyond max. */
  #watchOpening(): void {
    const { create } = this.#factory;
    this.#factory.create = (signal) => {
      const { size, max } = this.#pool.stats();
      const exist = Math.max(size, this.#factory.physical + 1);
      if (exist > max) this.#callers.complaints.push(`number ${exist} of ${max} was opened`);
      return create(signal);
    };
  }

  #loseOne(): void {
    const resource = this.#random.oneOf(undefined, ...this.#factory.created);
    if (resource === undefined) return;
    this.#lost.add(resource);
    this.#factory.lose(resource);
  }

  #resize(): void {
    const max = this.#random.from(1, 5);
    this.#pool.resize({ min: this.#random.from(0, max), max });
  }

  #changeMood(): void {
    const random = this.#random;
    const { creates, destroys, validates, resets } = this.#factory;
    creates.manner = random.oneOf('works', 'works', 'works', 'rejects', 'throws', 'hangs');
    destroys.manner = random.oneOf('works', 'works', 'rejects', 'throws');
    validates.manner = random.oneOf('works', 'works', 'works', 'rejects', 'throws', 'hangs');
    resets.manner = random.oneOf('works', 'works', 'works', 'rejects', 'throws', 'hangs');
    for (const conduct of [creates, destroys, validates, resets]) conduct.ms = random.oneOf(0, 0, 1, 20);
    const valid = random.oneOf(true, true, false, undefined);
    const verdict = random.oneOf('keep', 'keep', 'discard', undefined);
    const losesOne = random.oneOf(false, false, false, true);
    validates.answer = () => (losesOne && this.#loseOne(), valid);
    resets.answer = () => (losesOne && this.#loseOne(), verdict);
  }

  #someOptions(): PoolOptions {
    const random = this.#random;
    const max = random.from(1, 4);
    return {
      max,
      min: random.from(0, max),
      maxWaiting: random.oneOf(0, 3, 10_000, 10_000),
      acquireTimeoutMs: random.oneOf(0, 100),
      createTimeoutMs: 40,
      destroyTimeoutMs: 40,
      idleTimeoutMs: random.oneOf(0, 50),
      maxLifetimeMs: random.oneOf(0, 100),
      maxUses: random.oneOf(0, 1, 3),
      validateAfterIdleMs: random.oneOf(0, 20, 500),
      keepAliveMs: random.oneOf(0, 30),
      leakThresholdMs: random.oneOf(0, 0, 50),
      order: random.oneOf('lifo', 'fifo'),
    };
  }

  async #end(): Promise<void> {
    const drained = watch(this.#pool.drain({ timeoutMs: this.#random.oneOf(0, 10, 100) }));
    await advance(1_000);
    expect(drained.state).toBe('fulfilled');
    expect(this.#pool.stats()).toMatchObject({ state: 'closed', size: 0, leased: 0, waiting: 0 });
    expect(this.#callers.settled).toBe(this.#callers.asked);
    expect(this.#callers.complaints).toEqual([]);
    expect(this.#factory.physical).toBe(0);
    expect(this.#factory.destroyed.map(({ id }) => id).sort()).toEqual(
      this.#factory.created.map(({ id }) => id).sort(),
    );
    expect(jest.getTimerCount()).toBe(0);
  }
}
