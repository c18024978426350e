import type { Lease } from '../../lib/core/lease.js';
import { LeaseBrokenError } from '../../lib/core/pool.errors.js';
import type { FakeResource } from './fake-factory.js';
import { Caller, type Wish } from './pool-model.caller.js';
import type { World } from './pool-model.world.js';

/** Whether a task throws on the spot, needs one resource more, stops when its signal aborts, or just goes on until it is told to end. */
export type Conduct = 'holds' | 'throws' | 'heeds' | 'asks again';

/** How a holder ends a lease. */
export type Ending = 'gives it back' | 'destroys it' | 'fails';

interface Hold {
  readonly caller: Caller;
  readonly lease: Lease<FakeResource>;
  readonly resource: FakeResource;
  /** It was the last to be had. */
  readonly isLast: boolean;
  /** The pool ended the lease; its holder goes on without. */
  isTaken: boolean;
  end(how: Ending): void;
}

const TASK_FAILED = new Error('the task failed');

/** All who ask the pool for something. They complain when it breaks a promise. */
export class Callers {
  readonly waiting = new Set<Caller>();
  readonly holds = new Set<Hold>();
  /** Promises that the pool has given and not kept, those of `acquire` aside. */
  pending = 0;

  readonly #world: World;
  readonly #ended: Hold[] = [];
  /** Those whose turn is to be checked, and those who were served since the last check. */
  #line: Caller[] = [];
  #served: Caller[] = [];
  /** The task that is being started. */
  #inside: Hold | undefined;
  #asked = 0;
  #turns = 0;

  constructor(world: World) {
    this.#world = world;
  }

  ask(wish: Wish): void {
    const caller = this.#come(wish, false);
    this.#world.pool.acquire(wish).then(
      (lease) => {
        this.#settle(caller, 'served');
        this.#hold(caller, lease, (how) => {
          if (how === 'fails') this.expect(lease[Symbol.asyncDispose]());
          else this.expect(how === 'destroys it' ? lease.destroy('unfit') : lease.release());
        });
      },
      (error: unknown) => this.#refused(caller, error),
    );
  }

  /** Has the pool run a task. Its value is the caller's number, so that none can get another's. */
  run(wish: Wish, conduct: Conduct): void {
    const caller = this.#come(wish, true);
    let started = false;
    const task = (_: FakeResource, lease: Lease<FakeResource>): Promise<number> => {
      this.#settle(caller, 'served');
      if (started) this.#world.complain(`task ${caller.number} was run twice`);
      started = true;
      if (conduct === 'throws') throw TASK_FAILED;
      return this.#work(caller, lease, conduct);
    };
    const outcome = this.#world.pool.use(task, wish).then(
      (value) => value !== caller.number && this.#world.complain(`task ${caller.number} gave ${value}`),
      (error: unknown) => (started ? this.#failed(caller, error) : this.#refused(caller, error)),
    );
    this.expect(outcome);
  }

  #work(caller: Caller, lease: Lease<FakeResource>, conduct: Conduct): Promise<number> {
    const { signal } = caller.wish;
    return new Promise<number>((resolve, reject) => {
      const stop = () => this.end(hold, 'fails');
      const hold = this.#hold(caller, lease, (how) => {
        signal?.removeEventListener('abort', stop);
        if (how === 'destroys it') this.expect(lease.destroy('unfit'));
        if (how === 'fails') reject(TASK_FAILED);
        else resolve(caller.number);
      });
      if (conduct === 'heeds') signal?.addEventListener('abort', stop);
      if (conduct === 'asks again') this.#askInside(hold, caller.wish);
    });
  }

  #askInside(hold: Hold | undefined, wish: Wish): void {
    this.#inside = hold;
    this.ask(wish);
    this.#inside = undefined;
  }

  /** One of those who hold something. */
  holder(number: number): Hold | undefined {
    return [...this.holds][number % this.holds.size];
  }

  end(hold: Hold | undefined, how: Ending): void {
    if (hold === undefined || !this.holds.delete(hold)) return;
    this.#ended.push(hold);
    this.#world.wasGivenBack(hold.resource);
    hold.end(how);
  }

  endAll(): void {
    for (const hold of [...this.holds]) this.end(hold, 'gives it back');
  }

  /** Somebody ends a lease that has ended already. */
  endAgain(number: number): void {
    const lease = this.#ended[number % this.#ended.length]?.lease;
    if (lease === undefined || isGood(lease)) return;
    this.expect(lease.release());
    this.expect(lease.destroy());
  }

  /** How many have something good in hand. */
  get holding(): number {
    return [...this.holds].filter(({ lease }) => isGood(lease)).length;
  }

  isHeld(resource: FakeResource): boolean {
    return [...this.holds].some((hold) => hold.resource === resource && isGood(hold.lease));
  }

  /** The pool promised something that it must do. */
  expect(promise: Promise<unknown>): void {
    this.pending += 1;
    promise.then(
      () => (this.pending -= 1),
      (error: unknown) => this.#world.complain(`a promise failed with ${String(error)}`),
    );
  }

  /** To be called when nothing is under way that needs no timer. */
  check(): void {
    for (const caller of this.waiting) this.#checkWait(caller);
    for (const hold of this.holds) if (!isGood(hold.lease)) this.#taken(hold);
    for (const { lease, caller } of this.#ended)
      if (isGood(lease)) this.#world.complain(`the lease of caller ${caller.number} outlives its end`);
    this.#checkOrder();
  }

  #taken(hold: Hold): void {
    if (hold.isTaken) return;
    hold.isTaken = true;
    const { caller, resource } = hold;
    const wasStopped = caller.circumstances.isTask && caller.wish.signal?.aborted === true;
    if (!wasStopped && !this.#world.wasLost(resource) && !this.#world.mayRevoke)
      this.#world.complain(`resource ${resource.id} was taken from caller ${caller.number}`);
    if (!this.#world.wasClosed(resource))
      this.#world.complain(`resource ${resource.id} was taken and not closed`);
  }

  #checkOrder(): void {
    for (const served of this.#served)
      for (const other of this.#line)
        if (other.wasOvertakenBy(served, this.#world))
          this.#world.complain(`caller ${other.number} was overtaken by caller ${served.number}`);
    this.#line = [...this.waiting];
    this.#served = [];
  }

  #checkWait(caller: Caller): void {
    const complaint = caller.complaint();
    if (complaint !== undefined) this.#world.complain(complaint);
  }

  #come(wish: Wish, isTask: boolean): Caller {
    const inside = this.#inside;
    const caller = new Caller((this.#asked += 1), wish, {
      isTask,
      waiting: this.waiting.size,
      isMeddling: this.#world.isMeddling,
      isInside: inside !== undefined,
      isStuck: inside !== undefined && inside.isLast && isGood(inside.lease) && this.#isExhausted,
    });
    this.waiting.add(caller);
    this.#line.push(caller);
    return caller;
  }

  get #isExhausted(): boolean {
    const { leased, max } = this.#world.pool.stats();
    return leased >= max;
  }

  #settle(caller: Caller, as: 'served' | 'refused'): void {
    this.#checkWait(caller);
    this.waiting.delete(caller);
    caller.settle(as, (this.#turns += 1));
    if (as === 'refused') return;
    this.#served.push(caller);
    if (!this.#world.mayLend) this.#world.complain(`caller ${caller.number} is served by a suspended pool`);
  }

  #hold(caller: Caller, lease: Lease<FakeResource>, end: (how: Ending) => void): Hold | undefined {
    if (!isGood(lease)) return undefined; // lost on the way to its holder
    const { resource } = lease;
    if (this.isHeld(resource)) this.#world.complain(`resource ${resource.id} has two holders`);
    this.#world.wasLent(resource);
    const hold = { caller, lease, resource, isLast: this.#isExhausted, isTaken: false, end };
    this.holds.add(hold);
    return hold;
  }

  #refused(caller: Caller, error: unknown): void {
    this.#settle(caller, 'refused');
    if (!caller.mayBeRefused(error, this.#world))
      this.#world.complain(`caller ${caller.number} was refused with ${String(error)}`);
  }

  #failed({ number, wish: { signal } }: Caller, error: unknown): void {
    const wasStopped = signal?.aborted === true && error === signal.reason;
    if (error !== TASK_FAILED && !wasStopped && !(error instanceof LeaseBrokenError))
      this.#world.complain(`task ${number} failed with ${String(error)}`);
  }
}

function isGood(lease: Lease<FakeResource>): boolean {
  try {
    return lease.resource !== undefined;
  } catch {
    return false;
  }
}
