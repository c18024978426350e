import { Subject } from 'rxjs';
import { EVENT_CHANNELS } from './channels.js';
import type { PoolEvent, PoolHappening } from './pool.events.js';
import type { PoolState } from './pool.state.js';

/** The name and state of a pool, and the story of what happens in it: shared by its parts. */
export class Journal {
  readonly name: string;
  readonly events = new Subject<PoolEvent>();
  /** The same, but for what happens with every lease unless `events` is observed. */
  readonly milestones = new Subject<PoolEvent>();
  #state: PoolState = 'open';

  constructor(name: string) {
    this.name = name;
  }

  get state(): PoolState {
    return this.#state;
  }

  /** Somebody listens to everything. Asked before a message is built where that happens for every lease. */
  get observed(): boolean {
    return this.events.observed;
  }

  tell(happening: PoolHappening): void {
    const channel = EVENT_CHANNELS[happening.type];
    const isPublished = channel?.hasSubscribers === true;
    if (!isPublished && !this.observed && !this.milestones.observed) return;
    const event = { pool: this.name, ...happening };
    if (isPublished) channel.publish(event);
    this.milestones.next(event);
    this.events.next(event);
  }

  moveTo(state: PoolState): void {
    this.#state = state;
    this.tell({ type: 'state-changed', state });
  }

  /** Nothing more will happen. */
  end(): void {
    this.milestones.complete();
    this.events.complete();
  }
}
