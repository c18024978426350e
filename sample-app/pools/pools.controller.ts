import { Controller, Get, Sse, type BeforeApplicationShutdown, type MessageEvent } from '@nestjs/common';
import { PoolRegistry, type PoolStats } from 'nestjs-pool';
import { map, merge, ReplaySubject, takeUntil, type Observable } from 'rxjs';

const EVERY_MS = 500;

@Controller('pools')
export class PoolsController implements BeforeApplicationShutdown {
  private readonly shutdown$ = new ReplaySubject<void>(1);

  constructor(private readonly pools: PoolRegistry) {}

  @Get()
  stats(): PoolStats[] {
    return this.pools.stats();
  }

  /** The stats of one pool after the other, as they change, for as long as the client listens. */
  @Sse('stream')
  stream(): Observable<MessageEvent> {
    return merge(...this.pools.all().map((pool) => pool.stats$(EVERY_MS))).pipe(
      map((stats) => ({ data: stats })),
      takeUntil(this.shutdown$),
    );
  }

  /** The HTTP server waits for open responses, and these would never end by themselves. */
  beforeApplicationShutdown(): void {
    this.shutdown$.next();
  }
}
