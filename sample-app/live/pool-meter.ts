import { RedisPool, type PoolEvent, type PoolStats, type ResourcePool } from 'nestjs-pool';
import type { CommandMeter } from './command-meter.js';
import { Durations, type DurationsRead } from './durations.js';

/** What one pool is doing, and has done since the last look. */
export interface PoolReading {
  readonly stats: PoolStats;
  readonly waitMs: DurationsRead;
  readonly useMs: DurationsRead;
  /** What a pool of Redis connections has besides its leases; null for other pools. */
  readonly redis: { readonly isConnected: boolean; readonly commandMs: DurationsRead } | null;
}

/** Reads one pool. Its stats tell of its whole life; what the last half a second was like is in its events. */
export class PoolMeter {
  private readonly waits = new Durations();
  private readonly uses = new Durations();
  private isConnected = true;

  constructor(
    private readonly pool: ResourcePool<unknown>,
    private readonly commands: CommandMeter,
  ) {
    pool.events$.subscribe((event) => this.note(event));
  }

  read(): PoolReading {
    const { pool, isConnected } = this;
    return {
      stats: pool.stats(),
      waitMs: this.waits.read(),
      useMs: this.uses.read(),
      redis: pool instanceof RedisPool ? { isConnected, commandMs: this.commands.read() } : null,
    };
  }

  private note(event: PoolEvent): void {
    if (event.type === 'acquired') this.waits.add(event.waitMs);
    if (event.type === 'released') this.uses.add(event.useMs);
    if (event.type === 'connected') this.isConnected = true;
    if (event.type === 'disconnected') this.isConnected = false;
  }
}
