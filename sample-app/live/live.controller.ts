import { Controller, Sse, type MessageEvent } from '@nestjs/common';
import { defer, map, merge, of, type Observable } from 'rxjs';
import { LastDrain } from '../drains/last-drain.js';
import { FaultsService } from '../faults/faults.service.js';
import { Pulse } from './pulse.js';

/** How soon browsers try again when the server goes away. */
const RETRY_MS = 1_000;

/** What the page draws: a greeting, by which it knows a server that was started anew, and then one beat after the other. */
@Controller('live')
export class LiveController {
  private readonly startedAt = Date.now();

  constructor(
    private readonly pulse: Pulse,
    private readonly faults: FaultsService,
    private readonly lastDrain: LastDrain,
  ) {}

  @Sse()
  stream(): Observable<MessageEvent> {
    const greeting$ = defer(() => of({ type: 'greeting', retry: RETRY_MS, data: this.greeting() }));
    return merge(greeting$, this.pulse.beats$.pipe(map((beat) => ({ type: 'beat', data: beat }))));
  }

  private greeting() {
    return {
      startedAt: this.startedAt,
      canFail: this.faults.isOffered,
      lastDrain: this.lastDrain.found,
      past: this.pulse.past,
    };
  }
}
