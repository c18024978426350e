import type { Priority } from '../../lib/core/waiting-line.js';
import type { World } from './pool-model.world.js';

/** How a caller asks. */
export interface Wish {
  readonly priority: Priority;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Under which circumstances he came. */
export interface Circumstances {
  readonly isTask: boolean;
  /** How many waited. */
  readonly waiting: number;
  /** He asks in the middle of something, perhaps of somebody else's asking. */
  readonly isMeddling: boolean;
  /** He asks in his own task, which has something already; and it is the last to be had, so that he would wait for himself. */
  readonly isInside: boolean;
  readonly isStuck: boolean;
}

/** Whoever came so much later is served later, whatever the priorities. */
const HANDICAP_MS: Readonly<Record<Priority, number>> = { high: 0, normal: 2_000, low: 4_000 };

/** Somebody who asks for a resource, and how he must be treated. */
export class Caller {
  readonly since = performance.now();
  settledAs: 'served' | 'refused' | undefined;
  settledAt = Infinity;
  /** The place of that in the order of all that happens. */
  turn = Infinity;

  constructor(
    readonly number: number,
    readonly wish: Wish,
    readonly circumstances: Circumstances,
  ) {}

  settle(as: 'served' | 'refused', turn: number): void {
    this.settledAs = as;
    this.settledAt = performance.now();
    this.turn = turn;
  }

  /** What is wrong with his waiting, up to now. */
  complaint(): string | undefined {
    const waitedMs = performance.now() - this.since;
    const { timeoutMs } = this.wish;
    if (timeoutMs > 0 && waitedMs > timeoutMs)
      return `caller ${this.number} waits for ${waitedMs} ms instead of ${timeoutMs}`;
    if (this.circumstances.isStuck && waitedMs > 0) return `caller ${this.number} waits for himself`;
    return undefined;
  }

  mayBeRefused(error: unknown, world: World): boolean {
    const { timeoutMs, signal } = this.wish;
    const { isTask, isInside, waiting } = this.circumstances;
    const atOnce = this.settledAt === this.since;
    if (signal?.aborted && error === signal.reason) return true;
    switch (String((error as { code?: string }).code)) {
      case 'ERR_POOL_TIMEOUT':
        return timeoutMs > 0 && this.settledAt === this.since + timeoutMs;
      case 'ERR_POOL_QUEUE_FULL':
        return atOnce && waiting >= world.options.maxWaiting;
      case 'ERR_POOL_UNAVAILABLE':
        return atOnce && world.mayBeUnavailable;
      case 'ERR_POOL_DEADLOCK':
        return atOnce && isInside;
      case 'ERR_POOL_CLOSED':
        return world.mayBeClosed;
      case 'ERR_POOL_LEASE_BROKEN':
        return isTask; // the resource was lost on its way to him
      default:
        return false;
    }
  }

  /**
   * Another was served though this one waited and should have been first. Who is refused, who asks in his own task, and who is served
   * while a listener meddles, hears of it a little earlier or later than the pool decides it.
   */
  wasOvertakenBy(served: Caller, { meddledAt }: World): boolean {
    if (this === served || this.turn < served.turn) return false;
    const isInDoubt =
      this.settledAs === 'refused' || this.circumstances.isInside || meddledAt === served.settledAt;
    if (isInDoubt && this.settledAt === served.settledAt) return false;
    if (served.circumstances.isMeddling && this.since === served.since) return false;
    const stoodInLine = this.number < served.number || this.since < served.settledAt;
    return stoodInLine && this.#goesBefore(served);
  }

  #goesBefore(other: Caller): boolean {
    if (this.wish.priority === other.wish.priority) return this.number < other.number;
    return this.#seemsToComeAt < other.#seemsToComeAt;
  }

  get #seemsToComeAt(): number {
    return this.since + HANDICAP_MS[this.wish.priority];
  }
}
