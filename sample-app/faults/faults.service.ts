import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConflictException,
  Injectable,
  Logger,
  NotFoundException,
  type BeforeApplicationShutdown,
} from '@nestjs/common';
import { EmbeddedRedis } from '../embedded-redis/embedded-redis.js';
import { Happenings } from '../happenings/happenings.js';
import type { FaultOrder } from './fault.dto.js';

export interface Fault {
  readonly kind: FaultOrder['kind'];
  /** When it heals, in milliseconds since 1970. */
  readonly until: number;
}

/** Lets visitors disturb the embedded Redis, one fault at a time and none for long; a server of somebody's is left alone. */
@Injectable()
export class FaultsService implements BeforeApplicationShutdown {
  /** The fault that is on. */
  current: Fault | null = null;

  private readonly logger = new Logger(FaultsService.name);
  private readonly shutdown = new AbortController();

  constructor(
    private readonly redis: EmbeddedRedis,
    private readonly happenings: Happenings,
  ) {}

  get isOffered(): boolean {
    return this.redis.isUsed;
  }

  /** Resolves when the fault is there. */
  async cause({ kind, seconds }: FaultOrder): Promise<void> {
    if (!this.isOffered) throw new NotFoundException('There is no embedded Redis to disturb');
    if (this.current !== null) throw new ConflictException('One fault at a time');
    this.current = { kind, until: Date.now() + seconds * 1_000 };
    this.tell('warn', BEGUN[kind](seconds));
    try {
      await this.begin(kind);
    } catch (error) {
      this.current = null;
      throw error;
    }
    if (kind === 'cut') this.current = null;
    else void this.healAfter(seconds, kind);
  }

  beforeApplicationShutdown(): void {
    this.shutdown.abort();
  }

  private async begin(kind: Fault['kind']): Promise<void> {
    if (kind === 'pause') this.redis.pause();
    if (kind === 'stop') await this.redis.stop();
    if (kind === 'cut') await this.redis.cutConnections();
  }

  private async healAfter(seconds: number, kind: Exclude<Fault['kind'], 'cut'>): Promise<void> {
    try {
      await sleep(seconds * 1_000, undefined, { signal: this.shutdown.signal }).catch(() => undefined);
      if (kind === 'pause') this.redis.resume();
      else await this.redis.start();
      this.tell('good', 'Redis is back');
    } catch (error) {
      this.logger.error(error);
    } finally {
      this.current = null;
    }
  }

  private tell(level: 'good' | 'warn', text: string): void {
    this.happenings.tell({ source: 'fault', level, text });
  }
}

const BEGUN: Record<Fault['kind'], (seconds: number) => string> = {
  pause: (seconds) => `Redis is paused for ${seconds} s`,
  stop: (seconds) => `Redis is stopped for ${seconds} s`,
  cut: () => 'the connections to Redis are cut',
};
