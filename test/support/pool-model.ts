import type { DrainReport } from '../../lib/core/drain-report.js';
import type { PoolEvent } from '../../lib/core/pool.events.js';
import { POOL_DEFAULTS, type PoolOptions, type ResolvedPoolOptions } from '../../lib/core/pool.options.js';
import { ResourcePool } from '../../lib/core/resource-pool.js';
import type { FakeResource } from './fake-factory.js';
import { Callers } from './pool-model.callers.js';
import { ModelFactory, type Duty } from './pool-model.factory.js';
import type { World } from './pool-model.world.js';

/** A pool with all that surrounds it: what may be done to it, and what must hold after everything that was. */
export class PoolModel implements World {
  readonly options: ResolvedPoolOptions;
  readonly pool: ResourcePool<FakeResource>;
  readonly factory: ModelFactory;
  readonly callers: Callers;
  readonly clients: AbortController[] = [];
  /** Subscriptions that have not completed, and whether those who subscribed still do something about what they hear. */
  subscribed = 0;
  isLively = true;
  meddledAt = -Infinity;
  isMeddling = false;
  readonly #complaints: string[] = [];
  #suspendedAt = -Infinity;
  /** When the first drain must end all work. */
  drainsBy = Infinity;
  #report: DrainReport | undefined;

  constructor(options: PoolOptions) {
    this.options = { ...POOL_DEFAULTS, ...options };
    this.factory = new ModelFactory(this);
    this.pool = new ResourcePool('model', this.factory, options);
    this.callers = new Callers(this);
  }

  // What may be done.

  /** One of a few clients, each with requests of its own. */
  client(number: number): AbortController {
    return (this.clients[number] ??= new AbortController());
  }

  /** The client leaves; or, if it has, the next one comes. */
  abort(number: number): void {
    const client = this.client(number);
    if (client.signal.aborted) this.clients[number] = new AbortController();
    else client.abort(new Error(`client ${number} left`));
  }

  start(timeoutMs: number): void {
    const { min } = this.pool.stats();
    const failed = () =>
      min === 0 && !this.isDraining && this.complain('a pool without a min could not start');
    this.callers.expect(this.pool.start({ timeoutMs }).catch(failed));
  }

  suspend(): void {
    if (this.pool.state === 'open') this.#suspendedAt = performance.now();
    this.pool.suspend();
  }

  renew(): void {
    this.factory.outdate();
    this.pool.renew();
  }

  drain(timeoutMs: number): void {
    this.drainsBy = Math.min(this.drainsBy, this.isDraining ? Infinity : performance.now() + timeoutMs);
    this.callers.expect(this.pool.drain({ timeoutMs }).then((report) => this.#drained(report)));
  }

  #drained(report: DrainReport): void {
    this.#report ??= report;
    if (report !== this.#report) this.complain('a second drain is not the first');
    if (this.callers.holding > 0) this.complain('the drain ends before all work has');
  }

  /** Somebody does something the first time an event of this type comes. */
  react(type: PoolEvent['type'], reaction: () => void): void {
    let isDone = false;
    this.subscribed += 1;
    this.pool.events$.subscribe({
      next: (event) => {
        this.checkCounts();
        if (event.type !== type || isDone || !this.isLively) return;
        isDone = true;
        this.#meddle(reaction);
      },
      complete: () => (this.subscribed -= 1),
    });
  }

  /** The factory does something the next time it is called for this. */
  meddle(during: Duty, reaction: () => void): void {
    this.factory.meddling = { during, meddle: () => this.#meddle(reaction) };
  }

  #meddle(reaction: () => void): void {
    const isInside = this.isMeddling;
    this.meddledAt = performance.now();
    this.checkCounts();
    this.isMeddling = true;
    try {
      reaction();
    } finally {
      this.isMeddling = isInside;
    }
    this.checkCounts();
  }

  watchStats(everyMs: number): void {
    this.subscribed += 1;
    this.pool.stats$(everyMs).subscribe({
      next: () => this.checkCounts(),
      complete: () => (this.subscribed -= 1),
    });
  }

  // What the pool may do.

  get isDraining(): boolean {
    return this.drainsBy < Infinity;
  }

  get mayBeClosed(): boolean {
    return this.isDraining;
  }

  get mayRevoke(): boolean {
    return performance.now() >= this.drainsBy;
  }

  /** What was on its way when the pool was suspended arrives. */
  get mayLend(): boolean {
    return this.pool.state !== 'suspended' || performance.now() === this.#suspendedAt;
  }

  get mayBeUnavailable(): boolean {
    const { idle, leased } = this.pool.stats();
    return this.factory.mayBeDown && idle + leased === 0;
  }

  isHeld(resource: FakeResource): boolean {
    return this.callers.isHeld(resource);
  }

  wasLost(resource: FakeResource): boolean {
    return this.factory.wasLost(resource);
  }

  wasClosed(resource: FakeResource): boolean {
    return this.factory.wasClosed(resource);
  }

  wasLent(resource: FakeResource): void {
    this.factory.wasLent(resource);
  }

  wasGivenBack(resource: FakeResource): void {
    this.factory.wasGivenBack(resource);
  }

  complain(about: string): void {
    this.#complaints.push(about);
  }

  /** @throws all complaints, if there are any */
  speakUp(): void {
    if (this.#complaints.length > 0) throw new Error(this.#complaints.join('\n'));
  }

  // What must hold.

  /** At any moment, in the middle of an event as well. */
  checkCounts(): void {
    const { size, idle, leased, creating, closing, waiting } = this.pool.stats();
    const sum = idle + leased + creating + closing;
    if (sum !== size) this.complain(`${idle} + ${leased} + ${creating} + ${closing} is not ${size}`);
    if (Math.min(idle, leased, creating, closing, waiting) < 0) this.complain('a count is below zero');
  }

  /** Whenever nothing is under way that needs no timer. */
  check(): void {
    this.checkCounts();
    this.callers.check();
    const { leased, waiting } = this.pool.stats();
    const { holding, waiting: callers } = this.callers;
    if (leased !== holding) this.complain(`${leased} are leased, ${holding} are held`);
    if (waiting !== callers.size) this.complain(`${waiting} wait, of ${callers.size}`);
    this.#nobodyWaitsInVain();
    this.#nothingLiesAbout();
    this.#drainIsInTime();
    this.speakUp();
  }

  #nobodyWaitsInVain(): void {
    const { state, waiting, idle, creating, size, max } = this.pool.stats();
    if (waiting === 0 || state === 'suspended') return;
    if (idle > 0 && creating < waiting) this.complain(`${waiting} wait beside ${idle} idle`);
    const mayPause = performance.now() <= this.factory.pauseUntil;
    if (size < max && creating === 0 && !mayPause) this.complain(`${waiting} wait though there is room`);
  }

  #nothingLiesAbout(): void {
    const { idle, creating, closing, size, max } = this.pool.stats();
    if (idle > 0 && size - closing > max) this.complain(`${size - closing} are kept, of ${max}`);
    if (this.factory.lostAndIdle > creating) this.complain('what was lost is kept');
  }

  #drainIsInTime(): void {
    const overdueMs = performance.now() - this.drainsBy;
    const { waiting, leased, idle, size, state } = this.pool.stats();
    const goesOn = size === 0 ? state === 'closed' : idle === 0;
    if (this.isDraining && waiting + leased === 0 && !goesOn) this.complain('the drain does not go on');
    if (overdueMs > 0 && waiting + leased > 0) this.complain('the deadline of the drain passed');
    if (overdueMs > this.options.destroyTimeoutMs && state !== 'closed')
      this.complain('the drain has no end');
  }
}
