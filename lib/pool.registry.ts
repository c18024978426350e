import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { from, merge, Subject, type Observable } from 'rxjs';
import type { DrainReport } from './core/drain-report.js';
import { PoolNotFoundError } from './core/pool.errors.js';
import type { PoolStats } from './core/pool.stats.js';
import type { ResourcePool } from './core/resource-pool.js';
import { PoolLog } from './pool.log.js';

interface Entry {
  readonly pool: ResourcePool<unknown>;
  readonly drainTimeoutMs: number | undefined;
}

/**
 * All pools of the application, and the owner of their shutdown.
 *
 * @publicApi
 * @example
 * constructor(private readonly pools: PoolRegistry) {}
 * everything() { return this.pools.stats(); }
 */
@Injectable()
export class PoolRegistry
  implements OnModuleInit, OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly logger = new Logger('PoolModule');
  private readonly reserved = new Set<string>();
  private readonly entries = new Map<string, Entry>();
  private readonly registered = new Subject<ResourcePool<unknown>>();
  private phase: 'starting' | 'abandoned' | 'running' | 'shutting-down' | 'over' = 'starting';

  /** True from the moment the application begins to shut down: readiness is down, open requests are still being answered. */
  get isShuttingDown(): boolean {
    return this.phase === 'shutting-down' || this.phase === 'over';
  }

  /** @throws {PoolNotFoundError} no pool has that name */
  get<P extends ResourcePool<unknown> = ResourcePool<unknown>>(name: string): P {
    const entry = this.entries.get(name);
    if (entry === undefined) throw new PoolNotFoundError(name, [...this.entries.keys()]);
    return entry.pool as P;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** In the order of their registration. */
  all(): ResourcePool<unknown>[] {
    return [...this.entries.values()].map(({ pool }) => pool);
  }

  /** @internal Every pool that is registered already, and each one that will be. */
  get pools$(): Observable<ResourcePool<unknown>> {
    return merge(from(this.all()), this.registered);
  }

  /** A snapshot of each pool. */
  stats(): PoolStats[] {
    return this.all().map((pool) => pool.stats());
  }

  /** @internal Every name that is taken, by a pool or for one that is about to be made. */
  get names(): ReadonlySet<string> {
    return this.reserved;
  }

  /** @internal Takes names, so that no other module can register a pool under them. */
  reserve(names: readonly string[]): void {
    for (const name of names) this.reserved.add(name);
  }

  /** @internal Returns what is to be told how the pool started; the rest it hears by itself. */
  register(pool: ResourcePool<unknown>, drainTimeoutMs: number | undefined): PoolLog {
    this.entries.set(pool.name, { pool, drainTimeoutMs });
    this.registered.next(pool);
    const log = new PoolLog(pool, this.logger);
    if (this.phase === 'abandoned' || this.phase === 'over') void pool.drain(); // nobody will come back for it
    return log;
  }

  /**
   * @internal The start of a module with pools of these names has failed. Nest runs no shutdown hook when a provider fails, so what the
   * pools of the application have opened, or are about to, would stay open. Once it runs, other pools are left alone: the module was a
   * lazy one, and may be tried again.
   */
  async abandon(names: readonly string[] = []): Promise<void> {
    if (this.phase === 'starting') this.phase = 'abandoned';
    if (this.phase === 'abandoned') return void (await this.drain());
    const failed = names.flatMap((name) => this.entries.get(name) ?? []);
    for (const { pool } of failed) {
      this.entries.delete(pool.name);
      this.reserved.delete(pool.name);
    }
    await drainAll(failed);
  }

  /**
   * Drains all pools at once, each until its own deadline or until `timeoutMs`. Never rejects; a second call joins the first.
   */
  drain({ timeoutMs }: { timeoutMs?: number } = {}): Promise<DrainReport[]> {
    return drainAll([...this.entries.values()], timeoutMs);
  }

  /** Nest comes here when no provider can fail any more. */
  onModuleInit(): void {
    this.phase = 'running';
  }

  /** Readiness is down before any `beforeApplicationShutdown`, in which somebody may wait for the load balancer to notice. */
  onModuleDestroy(): void {
    this.phase = 'shutting-down';
  }

  /** The last requests are being answered; what would go on for ever by itself ends now. */
  beforeApplicationShutdown(): void {
    this.phase = 'shutting-down';
    for (const pool of this.all()) pool.endLongLivedWork();
  }

  /** The HTTP server is closed, so no request can need a pool any more. */
  async onApplicationShutdown(): Promise<void> {
    this.phase = 'over';
    await this.drain();
  }
}

const drainAll = (entries: readonly Entry[], timeoutMs?: number): Promise<DrainReport[]> =>
  Promise.all(
    entries.map(({ pool, drainTimeoutMs }) => pool.drain({ timeoutMs: timeoutMs ?? drainTimeoutMs })),
  );
