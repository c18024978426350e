import type { Logger } from '@nestjs/common';
import type { DrainReport } from './core/drain-report.js';
import type { PoolEvent } from './core/pool.events.js';
import type { PoolState } from './core/pool.state.js';
import { react, type Reactions } from './core/reactions.js';
import type { ResourcePool } from './core/resource-pool.js';
import { withoutSecrets } from './core/without-secrets.js';
import { wordsOf } from './core/words-of.js';
import { OutageWatch } from './pool.outage.js';

/**
 * What the log of the application says of one pool: how it started, each outage once and its end once, leaks, warnings and the drain.
 * Never a line for each failure, never a secret, and nothing that costs anything while leases come and go.
 */
export class PoolLog {
  readonly #pool: ResourcePool<unknown>;
  readonly #logger: Logger;
  readonly #outage = new OutageWatch({
    began: (cause) =>
      this.#logger.error(`${this.#title} is unavailable: ${wordsOf(cause)}; it is tried again and again`),
    ended: (durationMs) =>
      this.#logger.log(`${this.#title} is available again, after ${duration(durationMs)}`),
  });

  readonly #reactions: Reactions = {
    'state-changed': ({ state }) => this.#moved(state),
    'breaker-opened': () =>
      this.#logger.debug(`${this.#title}: the breaker is open, callers are refused at once`),
    'breaker-closed': () => this.#logger.debug(`${this.#title}: the breaker is closed`),
    leaked: (event) => this.#logger.warn(`${this.#title}: ${leak(event)}; acquired\n${event.acquiredAt}`),
    'returned-late': ({ heldMs, acquiredAt }) =>
      this.#logger.log(
        `${this.#title}: a lease came back after ${duration(heldMs)}; acquired\n${acquiredAt}`,
      ),
    warned: ({ message }) => this.#logger.warn(`${this.#title}: ${withoutSecrets(message)}`),
    drained: ({ report }) => this.#drained(report),
  };

  /** Listens until the pool is closed. */
  constructor(pool: ResourcePool<unknown>, logger: Logger) {
    this.#pool = pool;
    this.#logger = logger;
    pool.milestones$.subscribe((event) => {
      this.#outage.hear(event);
      react(this.#reactions, event);
    });
  }

  started(what: string, durationMs: number): void {
    this.#logger.log(`${this.#introduction(what)} started in ${Math.round(durationMs)} ms`);
  }

  startsLazily(what: string): void {
    this.#logger.log(`${this.#introduction(what)} opens on first use`);
  }

  startedWithout(what: string, error: unknown): void {
    this.#outage.toldAlready();
    this.#logger.warn(
      `${this.#introduction(what)} could not be opened: ${wordsOf(error)}; going on without, it is tried again when it is needed`,
    );
  }

  get #title(): string {
    return `Pool "${this.#pool.name}"`;
  }

  #introduction(what: string): string {
    const { min, max } = this.#pool.stats();
    return `${this.#title} (${what}; min ${min}, max ${max})`;
  }

  #moved(state: PoolState): void {
    switch (state) {
      case 'suspended':
        return this.#logger.log(`${this.#title} is suspended: callers wait`);
      case 'open':
        return this.#logger.log(`${this.#title} is open again`);
      case 'draining':
      case 'closed':
        this.#outage.end();
        return this.#logger.debug(`${this.#title} is ${state}`);
    }
  }

  #drained(report: DrainReport): void {
    const { durationMs, clean, served, rejected, revoked, closed, closeFailures } = report;
    const counts = `served ${served}, rejected ${rejected}, revoked ${revoked.length}, closed ${closed}, failed to close ${closeFailures}`;
    const summary = `${this.#title} drained in ${Math.round(durationMs)} ms: ${counts}`;
    if (clean && closeFailures === 0) this.#logger.log(summary);
    else this.#logger.warn([summary, ...revoked.map(lateHolder)].join('\n'));
  }
}

const duration = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;

const leak = ({ heldMs, collected }: Extract<PoolEvent, { type: 'leaked' }>): string =>
  collected
    ? `a lease was forgotten without being released, ${duration(heldMs)} after it was acquired, and its resource is closed`
    : `a lease has been held for ${duration(heldMs)} (leakThresholdMs)`;

const lateHolder = ({ heldMs, acquiredAt }: DrainReport['revoked'][number]): string =>
  `  a lease held for ${Math.round(heldMs)} ms was revoked${acquiredAt === undefined ? ' (set leakThresholdMs to see who held it)' : `; acquired\n${acquiredAt}`}`;
