import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { DrainReport } from './core/drain-report.js';
import { PoolNotFoundError } from './core/pool.errors.js';
import type { PoolStats } from './core/pool.stats.js';
import type { ResourcePool } from './core/resource-pool.js';

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

  /** @internal */
  register(pool: ResourcePool<unknown>, drainTimeoutMs: number | undefined): void {
    this.entries.set(pool.name, { pool, drainTimeoutMs });
    pool.milestones$.subscribe((event) => {
      if (event.type === 'warned') this.logger.warn(`Pool "${pool.name}": ${event.message}`);
    });
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
      [...this.entries.values()].map(async ({ pool, drainTimeoutMs }) => {
        const report = await pool.drain({ timeoutMs: timeoutMs ?? drainTimeoutMs });
        this.log(report);
        return report;
      }),
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

  private log({
    pool,
    durationMs,
    clean,
    served,
    rejected,
    revoked,
    closed,
    closeFailures,
  }: DrainReport): void {
    const counts = `served ${served}, rejected ${rejected}, revoked ${revoked.length}, closed ${closed}, failed to close ${closeFailures}`;
    const summary = `Pool "${pool}" drained in ${Math.round(durationMs)} ms: ${counts}`;
    if (clean && closeFailures === 0) this.logger.log(summary);
    else this.logger.warn([summary, ...revoked.map(lateHolder)].join('\n'));
  }
}

const lateHolder = ({ heldMs, acquiredAt }: DrainReport['revoked'][number]) =>
  `  a lease held for ${Math.round(heldMs)} ms was revoked${acquiredAt === undefined ? ' (set leakThresholdMs to see who held it)' : `; acquired\n${acquiredAt}`}`;
