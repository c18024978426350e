import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
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
export class PoolRegistry implements BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('PoolModule');
  private readonly reserved = new Set<string>();
  private readonly entries = new Map<string, Entry>();
  private readonly registered = new Subject<ResourcePool<unknown>>();
  private shuttingDown = false;
  private drained: Promise<DrainReport[]> | undefined;

  /** True from the moment the application begins to shut down: readiness is down, open requests are still being answered. */
  get isShuttingDown(): boolean {
    return this.shuttingDown;
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
    return new PoolLog(pool, this.logger);
  }

  /**
   * Drains all pools at once, each until its own deadline or until `timeoutMs`. Never rejects; a second call joins the first.
   */
  drain({ timeoutMs }: { timeoutMs?: number } = {}): Promise<DrainReport[]> {
    this.drained ??= this.drainAll(timeoutMs);
    return this.drained;
  }

  private drainAll(timeoutMs: number | undefined): Promise<DrainReport[]> {
    return Promise.all(
      [...this.entries.values()].map(({ pool, drainTimeoutMs }) =>
        pool.drain({ timeoutMs: timeoutMs ?? drainTimeoutMs }),
      ),
    );
  }

  /** The last requests are being answered; what would go on for ever by itself ends now, and readiness is down. */
  beforeApplicationShutdown(): void {
    this.shuttingDown = true;
    for (const pool of this.all()) pool.endLongLivedWork();
  }

  /** The HTTP server is closed, so no request can need a pool any more. */
  async onApplicationShutdown(): Promise<void> {
    this.shuttingDown = true;
    await this.drain();
  }
}
