import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { PoolRegistry, type PoolStats } from 'nestjs-pool';
import { interval, map, Subject, takeUntil, tap } from 'rxjs';
import { FaultsService, type Fault } from '../faults/faults.service.js';
import { happeningOf, type Happening } from '../happenings/happening.js';
import { Happenings } from '../happenings/happenings.js';
import { LoadService, type LoadStatus } from '../load/load.service.js';
import { CommandMeter } from './command-meter.js';
import { PoolMeter, type PoolReading } from './pool-meter.js';

const BEAT_MS = 500;
const MEMORY_MS = 60_000;

/** All that the page shows of one moment. */
export interface Beat {
  readonly at: number;
  readonly pools: readonly PoolReading[];
  readonly load: LoadStatus;
  /** The fault that is on, if any. */
  readonly fault: Fault | null;
  readonly happenings: readonly Happening[];
}

type DrawnStats = Pick<PoolStats, 'name' | 'leased' | 'waiting' | 'max'>;

/** What is left of a beat when it is over: no more than charts are drawn of. */
export interface PastBeat {
  readonly at: number;
  readonly pools: readonly (Omit<PoolReading, 'stats'> & { readonly stats: DrawnStats })[];
}

/** Looks at everything twice a second, once for all who watch, and remembers a minute for those who come. */
@Injectable()
export class Pulse implements OnModuleInit, BeforeApplicationShutdown {
  /** Ends when the application begins to shut down: the HTTP server waits for open responses. */
  readonly beats$ = new Subject<Beat>();
  /** The beats of the last minute. */
  past: readonly PastBeat[] = [];

  private readonly shutdown$ = new Subject<void>();
  private meters: PoolMeter[] = [];

  constructor(
    private readonly pools: PoolRegistry,
    private readonly commands: CommandMeter,
    private readonly happenings: Happenings,
    private readonly load: LoadService,
    private readonly faults: FaultsService,
  ) {}

  onModuleInit(): void {
    this.meters = this.pools.all().map((pool) => new PoolMeter(pool, this.commands));
    for (const pool of this.pools.all()) {
      pool.events$.subscribe((event) => this.happenings.tell(happeningOf(event)));
    }
    interval(BEAT_MS)
      .pipe(
        map(() => this.look()),
        tap((beat) => this.remember(beat)),
        takeUntil(this.shutdown$),
      )
      .subscribe(this.beats$);
  }

  beforeApplicationShutdown(): void {
    this.shutdown$.next();
  }

  private look(): Beat {
    return {
      at: Date.now(),
      pools: this.meters.map((meter) => meter.read()),
      load: this.load.status(),
      fault: this.faults.current,
      happenings: this.happenings.recent,
    };
  }

  private remember({ at, pools }: Beat): void {
    const recent = this.past.filter((beat) => at - beat.at <= MEMORY_MS);
    this.past = [...recent, { at, pools: pools.map(drawn) }];
  }
}

function drawn({
  stats: { name, leased, waiting, max },
  ...reading
}: PoolReading): PastBeat['pools'][number] {
  return { ...reading, stats: { name, leased, waiting, max } };
}
