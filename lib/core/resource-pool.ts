import { endWith, ignoreElements, interval, map, startWith, takeUntil, type Observable } from 'rxjs';
import { Admission } from './admission.js';
import { withPart, type DrainReport, type PartReport } from './drain-report.js';
import { drain } from './drain.js';
import { IsolatedEvents } from './isolated-events.js';
import { Journal } from './journal.js';
import type { Lease } from './lease.js';
import { Place } from './place.js';
import { integer, milliseconds, oneOf, optionProblems, type OptionRules } from './option-rules.js';
import { PoolClosedError, PoolOptionsError, PoolUnavailableError } from './pool.errors.js';
import type { PoolDescription } from './pool.description.js';
import type { PoolEvent, PoolHappening } from './pool.events.js';
import {
  limitProblems,
  POOL_DEFAULTS,
  poolOptionProblems,
  withDefaults,
  checkOptions,
  type PoolOptions,
  type ResolvedPoolOptions,
} from './pool.options.js';
import type { PoolState } from './pool.state.js';
import type { DurationStats, PoolStats } from './pool.stats.js';
import { factoryProblems, type ResourceFactory } from './resource-factory.js';
import { Use, type UseTask } from './use.js';
import type { AcquireOptions, Outcome } from './waiter.js';

const DEFAULT_DRAIN_TIMEOUT_MS = 10_000;

/** How often time is looked at: often enough for the shortest time-out that is on, and at least once a second. */
const SWEEP_MS = { least: 10, most: 1_000 };

/**
 * Lends a bounded number of resources to any number of callers, one holder each.
 *
 * `idle + leased + creating + closing` never exceeds `max`. Every caller gets a lease, or an error by its deadline. Resources are
 * opened when somebody needs them (and up to `min` once the pool was started or used), and retired while idle, never in use.
 *
 * @publicApi
 * @example
 * const pool = new ResourcePool('db', factory, { max: 4 });
 * const rows = await pool.use((client) => client.query('select 1'));
 * await pool.drain();
 */
export class ResourcePool<T> {
  // TypeScript's `private` throughout: pools are injected, and what wraps a provider in a proxy breaks native private fields.
  readonly name: string;
  /** What happens in this pool, as it happens; completes when the pool is closed. Nothing is computed while nobody listens; a listener that throws hurts nobody. */
  readonly events$: Observable<PoolEvent>;

  /** @internal As `events$` without its frequent events, those about leases: somebody can always listen, and it costs nothing. */
  readonly milestones$: Observable<PoolEvent>;

  private readonly options: ResolvedPoolOptions;
  private readonly journal: Journal;
  private readonly admission: Admission<T>;
  private readonly sweeper: NodeJS.Timeout;
  private draining: Promise<DrainReport> | undefined;

  /** @throws {PoolOptionsError} names every problem of the options; nothing was opened */
  constructor(name: string, factory: ResourceFactory<T>, options: PoolOptions = {}) {
    const problems = [...factoryProblems(factory), ...poolOptionProblems(options)];
    if (problems.length > 0) throw new PoolOptionsError(name, problems);
    this.name = name;
    this.options = withDefaults(POOL_DEFAULTS, options);
    this.journal = new Journal(name);
    this.events$ = new IsolatedEvents(this.journal.events);
    this.milestones$ = new IsolatedEvents(this.journal.milestones);
    this.admission = new Admission<T>(this.journal, factory, this.options, () => this.stats());
    this.sweeper = setInterval(() => this.admission.sweep(), sweepEveryMs(this.options)).unref();
  }

  get state(): PoolState {
    return this.journal.state;
  }

  /**
   * Waits for a resource and leases it. First come, first served inside a priority.
   * Prefer `use()`, which cannot forget to give it back.
   *
   * @throws {PoolTimeoutError} nothing came free in time; says why
   * @throws {PoolQueueFullError} `maxWaiting` callers are waiting already
   * @throws {PoolDeadlockError} the caller is a task inside `use()` that would wait for itself
   * @throws {PoolUnavailableError} nothing can be opened: try after try has failed, and there is no resource
   * @throws {PoolClosedError} the pool is draining or closed
   * @throws the signal's reason, when it aborts before the lease is there
   */
  acquire(options?: AcquireOptions): Promise<Lease<T>> {
    const problems = acquireProblems(options);
    if (problems.length > 0) return Promise.reject(new PoolOptionsError(this.name, problems));
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it only names the frame above the caller's
    const place = this.options.leakThresholdMs > 0 ? new Place(this.acquire) : undefined;
    return this.admission.acquire(options, place);
  }

  /** As `acquire()`, without a promise: `outcome` hears at once or later, on anybody's stack and in anybody's async context. */
  protected acquireFor(outcome: Outcome<Lease<T>>, options?: AcquireOptions): void {
    const problems = acquireProblems(options);
    if (problems.length > 0) return outcome.reject(new PoolOptionsError(this.name, problems));
    // eslint-disable-next-line @typescript-eslint/unbound-method -- as above
    const place = this.options.leakThresholdMs > 0 ? new Place(this.acquireFor) : undefined;
    this.admission.acquireFor(outcome, options, place);
  }

  /**
   * Runs `task` with a resource and gives it back whatever happens: a return, a rejection, a synchronous throw.
   * A failed task does not cost the resource.
   *
   * `options.signal` covers the wait and the task. When it aborts while the task runs, the caller is rejected with its reason; a task
   * that stops by the end of that turn of the event loop (because it listens to the same signal) gives its resource back as usual,
   * and from one that goes on the resource is taken away and closed, since nobody else could use it safely. Where the factory can
   * interrupt what a resource waits for, that is done first: a task that ends by it keeps its outcome and its resource.
   *
   * @throws what `acquire()` throws; then `task` was not called
   * @throws {LeaseBrokenError} the resource was lost, or revoked by a drain, and the task failed
   * @throws what `task` throws
   */
  use<R>(task: UseTask<T, R>, options?: AcquireOptions): Promise<R> {
    return this.run(task, options, this.options.detectDeadlocks);
  }

  /** @internal As `use()`, for a task that certainly asks no pool for anything, so that it need not be watched. */
  useAlone<R>(task: UseTask<T, R>, options?: AcquireOptions): Promise<R> {
    return this.run(task, options, false);
  }

  private run<R>(task: UseTask<T, R>, options: AcquireOptions | undefined, watch: boolean): Promise<R> {
    const acquiring = this.acquire(options);
    return new Promise<R>((resolve, reject) => {
      const start = (lease: Lease<T>) =>
        new Use(this.admission.lending, lease, options?.signal, { resolve, reject }).run(task, watch);
      acquiring.then(start, reject);
    });
  }

  /** As `useAlone()`, when the lease is there already. */
  protected runAlone<R>(lease: Lease<T>, task: UseTask<T, R>, signal: AbortSignal | undefined): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      new Use(this.admission.lending, lease, signal, { resolve, reject }).run(task, false);
    });
  }

  /** A snapshot. Reading it changes nothing. */
  stats(): PoolStats {
    return this.admission.stats();
  }

  /** @internal For metrics. */
  get description(): PoolDescription {
    return { kind: 'custom' };
  }

  /** @internal As `stats().waitMs`, of the last minute or two only. */
  get recentWaitMs(): DurationStats {
    return this.admission.recentWaitMs;
  }

  /** A snapshot at once and then every `everyMs` milliseconds (default 1,000), until the pool is closed. */
  stats$(everyMs = 1_000): Observable<PoolStats> {
    checkOptions(this.name, { everyMs }, { everyMs: milliseconds() });
    return interval(everyMs).pipe(
      startWith(0),
      map(() => this.stats()),
      takeUntil(this.journal.milestones.pipe(ignoreElements(), endWith(undefined))),
    );
  }

  /**
   * Opens `min` resources and resolves when they are there.
   * @throws {PoolUnavailableError} they were not within `timeoutMs` (default `createTimeoutMs`); the cause says why.
   *   The pool goes on trying until it is drained.
   */
  async start({ timeoutMs = this.options.createTimeoutMs }: { timeoutMs?: number } = {}): Promise<void> {
    checkOptions(this.name, { timeoutMs }, { timeoutMs: milliseconds() });
    const { admission } = this;
    const { supply } = admission;
    admission.keepMin();
    const ended = () => this.state === 'draining' || this.state === 'closed';
    const enough = () => supply.counts.idle + supply.counts.leased >= supply.min;
    await admission.until(() => enough() || ended(), timeoutMs);
    if (ended()) throw new PoolClosedError(this.name, this.state);
    if (enough()) return;
    const cause = supply.opener.failure?.cause ?? 'they were still being opened';
    throw new PoolUnavailableError(this.name, `could not open ${supply.min} within ${timeoutMs} ms`, cause);
  }

  /**
   * Changes the limits while the pool works. A lower `max` takes no resource from its holder: the surplus is closed when it is idle or
   * comes back.
   * @throws {PoolOptionsError} the new limits cannot work; the old ones stay
   */
  resize(limits: { min?: number; max?: number }): void {
    const { supply } = this.admission;
    checkOptions(this.name, limits, LIMIT_RULES);
    const { min = supply.min, max = supply.max } = limits;
    const problems = limitProblems({ min, max });
    if (problems.length > 0) throw new PoolOptionsError(this.name, problems);
    supply.min = min;
    supply.max = max;
    this.admission.sweep();
  }

  /** Lends nothing until `resume()`: callers wait, each until its deadline. Leases go on. Does nothing unless the pool is open. */
  suspend(): void {
    if (this.state === 'open') this.journal.moveTo('suspended');
  }

  /** Lends again. Does nothing unless the pool is suspended. */
  resume(): void {
    if (this.state !== 'suspended') return;
    this.journal.moveTo('open');
    this.admission.serve();
  }

  /**
   * Replaces every resource that is open now, gently: idle ones are closed at once, leased ones when they come back, those being opened
   * when they arrive; new ones are opened as they are needed. For what has changed outside: a password, an address, a certificate.
   */
  renew(): void {
    this.admission.renew();
  }

  /**
   * Ends work that would go on for ever by itself, so that a drain need not wait for it. A plain pool has none.
   * Called when the application begins to shut down, while its last requests are still being answered.
   */
  endLongLivedWork(): void {
    // For pools that have such work.
  }

  /**
   * Closes the pool for good: refuses new callers at once, serves those who wait and waits for leases until `timeoutMs` (default
   * 10,000; 0 waits for nobody) has passed, then refuses and revokes the rest, and closes every resource. Ends whatever the factory
   * does. A second call joins the first.
   * @throws {PoolOptionsError} `timeoutMs` makes no sense; nothing was done. There is no other way to fail.
   */
  drain(options: { timeoutMs?: number } = {}): Promise<DrainReport> {
    const problems = optionProblems(options, { timeoutMs: milliseconds('at once') });
    if (problems.length > 0) return Promise.reject(new PoolOptionsError(this.name, problems));
    const { timeoutMs = DEFAULT_DRAIN_TIMEOUT_MS } = options;
    if (this.draining === undefined) {
      // Known before it begins: whoever hears of the new state may ask for the report.
      let begin!: (report: Promise<DrainReport>) => void;
      this.draining = new Promise((resolve) => (begin = resolve));
      begin(this.drainNow(timeoutMs));
    }
    return this.draining;
  }

  private async drainNow(timeoutMs: number): Promise<DrainReport> {
    this.journal.moveTo('draining');
    const [own, apart] = await Promise.all([drain(this.admission, timeoutMs), this.drainApart(timeoutMs)]);
    const report = apart === undefined ? own : withPart(own, apart);
    clearInterval(this.sweeper);
    this.journal.moveTo('closed');
    this.journal.tell({ type: 'drained', report });
    this.journal.end();
    return report;
  }

  /** Tells whoever listens that something works, and probably not as it is meant to. */
  protected warn(message: string): void {
    this.tell({ type: 'warned', message });
  }

  /** Tells whoever listens what happened in something that the kind of pool keeps beside its resources. */
  protected tell(happening: PoolHappening): void {
    this.journal.tell(happening);
  }

  /** For kinds of pools that keep something beside their resources: drains it, at the same time and by the same deadline. */
  protected drainApart(_timeoutMs: number): Promise<PartReport | undefined> {
    return Promise.resolve(undefined);
  }
}

/** For calls that take the options of `acquire()` among others. */
export const ACQUIRE_OPTION_RULES: OptionRules<AcquireOptions> = {
  signal: (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal'),
  timeoutMs: milliseconds('off'),
  priority: oneOf('high', 'normal', 'low'),
};

const acquireProblems = (options: AcquireOptions | undefined): readonly string[] =>
  options === undefined ? [] : optionProblems(options, ACQUIRE_OPTION_RULES);

const LIMIT_RULES: OptionRules<{ min?: number; max?: number }> = { min: integer(0), max: integer(1) };

function sweepEveryMs({
  idleTimeoutMs,
  maxLifetimeMs,
  keepAliveMs,
  leakThresholdMs,
}: ResolvedPoolOptions): number {
  const shortest = Math.min(
    ...[idleTimeoutMs, maxLifetimeMs, keepAliveMs, leakThresholdMs].filter((ms) => ms > 0),
  );
  return Math.min(SWEEP_MS.most, Math.max(SWEEP_MS.least, shortest / 4));
}
