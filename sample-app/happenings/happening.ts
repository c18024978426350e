import type { PoolEvent } from 'nestjs-pool';

/** Something worth a line on the page. */
export interface Noted {
  /** A pool's name, or what else it comes from. */
  readonly source: string;
  readonly level: 'info' | 'good' | 'warn' | 'bad';
  readonly text: string;
}

export interface Happening extends Noted {
  /** Counts up; the same thing again keeps the number of the first time. */
  readonly number: number;
  /** How many times in a row. */
  readonly count: number;
  /** The last time, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * What a pool's event says to visitors; nothing for those that come with every lease. Of an error they see its code: its words are
 * for the log.
 */
export function happeningOf(event: PoolEvent): Noted | undefined {
  const said = wordsFor(event);
  return said && { source: event.pool, level: said[0], text: said[1] };
}

function wordsFor(event: PoolEvent): [Noted['level'], string] | undefined {
  switch (event.type) {
    case 'acquired':
    case 'released':
      return undefined;
    case 'created':
      return ['info', 'opened a resource'];
    case 'create-failed':
      return ['bad', `could not open a resource${because(event.error)}`];
    case 'breaker-opened':
      return ['bad', `opened its breaker${because(event.cause)}`];
    case 'breaker-closed':
      return ['good', 'closed its breaker: resources can be opened again'];
    case 'disconnected':
      return ['bad', `lost its shared connections${because(event.cause)}`];
    case 'connected':
      return ['good', 'has its shared connections'];
    case 'destroyed':
      return [event.reason === 'broken' ? 'warn' : 'info', `closed a resource: ${event.reason}`];
    case 'destroy-failed':
      return ['warn', `could not close a resource${because(event.error)}`];
    case 'timed-out':
      return ['warn', 'a caller gave up waiting'];
    case 'leaked':
      return ['warn', `a lease has been held for ${Math.round(event.heldMs)} ms`];
    case 'returned-late':
      return ['info', `a lease came back after ${Math.round(event.heldMs)} ms`];
    case 'warned':
      return ['warn', event.message];
    case 'state-changed':
      return ['info', `is ${event.state}`];
    case 'drained':
      return ['good', `drained in ${Math.round(event.report.durationMs)} ms`];
  }
}

function because(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: string };
  const kind = typeof code === 'string' ? code : name;
  return kind === undefined || kind === 'Error' ? '' : `: ${kind}`;
}
