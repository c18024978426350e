import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { LOAD_LIMITS, type LoadOrder } from './load.dto.js';
import { LoadRound } from './load-round.js';

const TICK_MS = 20;

export interface LoadStatus {
  /** What is being done; null when nothing is. */
  readonly order: LoadOrder | null;
  /** When it ends by itself, in milliseconds since 1970. */
  readonly until: number;
  readonly inFlight: number;
  /** Rounds since this process began; those that were due while `inFlight` was at its limit are skipped. */
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Makes work for the pools at an even pace. It is bounded in every way, so that no visitor can overwhelm the server. */
@Injectable()
export class LoadService implements BeforeApplicationShutdown {
  private order: LoadOrder | null = null;
  private until = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly counts = { inFlight: 0, done: 0, failed: 0, skipped: 0 };

  constructor(private readonly round: LoadRound) {}

  /** Begins, or goes on with another order; ends by itself after a while. */
  start(order: LoadOrder): void {
    this.stop();
    this.order = order;
    this.until = Date.now() + LOAD_LIMITS.seconds * 1_000;
    let lastAt = performance.now();
    let due = 0;
    this.timer = setInterval(() => {
      const now = performance.now();
      due += ((now - lastAt) / 1_000) * order.perSecond;
      lastAt = now;
      for (; due >= 1; due--) this.begin(order);
      if (Date.now() >= this.until) this.stop();
    }, TICK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.order = null;
  }

  status(): LoadStatus {
    return { order: this.order, until: this.until, ...this.counts };
  }

  beforeApplicationShutdown(): void {
    this.stop();
  }

  private begin({ bytes }: LoadOrder): void {
    const { counts } = this;
    if (counts.inFlight >= LOAD_LIMITS.inFlight) return void counts.skipped++;
    counts.inFlight++;
    void this.round
      .run(bytes)
      .then(
        () => counts.done++,
        () => counts.failed++, // the pools' events and time-outs tell why
      )
      .finally(() => counts.inFlight--);
  }
}
