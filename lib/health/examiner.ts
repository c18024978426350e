import { PoolTimeoutError, type PoolTimeoutReason } from '../core/pool.errors.js';
import type { PoolStats } from '../core/pool.stats.js';
import type { ResourcePool } from '../core/resource-pool.js';
import { wordsOf } from '../core/words-of.js';
import {
  DEFAULTS,
  withDefaults,
  type AllChecksOptions,
  type PingCheckOptions,
  type ReplicationCheckOptions,
  type SaturationLimits,
  type WaitLimits,
} from './health.options.js';
import { Probes } from './probes.js';
import { canInquire, canPing, PING, REPLICATION } from './questions.js';
import {
  together,
  verdictOnAnswer,
  verdictOnBreaker,
  verdictOnDemand,
  verdictOnReplication,
  verdictOnState,
  verdictOnWait,
  type Verdict,
} from './verdict.js';

type Pool = ResourcePool<unknown>;

/** Looks at pools, one at a time. Only pools that are open are looked at more closely: the state of the others says all. */
export class Examiner {
  readonly #probes = new Probes();

  async ping(pool: Pool, options: Omit<PingCheckOptions, 'pool'>): Promise<Verdict> {
    const asking = withDefaults(DEFAULTS.asking, options);
    return whenOpen(pool, async ({ state }) => {
      if (!canPing(pool)) return { status: 'up', data: { state } };
      const tookMs = await this.#probes.ask(pool, PING, asking);
      return verdictOnAnswer(state, tookMs, options.degradedAtMs ?? asking.timeoutMs / 2);
    });
  }

  async saturation(pool: Pool, limits: SaturationLimits = {}): Promise<Verdict> {
    return whenOpen(pool, (stats) => verdictOnDemand(stats, withDefaults(DEFAULTS.saturation, limits)));
  }

  async wait(pool: Pool, limits: WaitLimits = {}): Promise<Verdict> {
    const { p99 } = pool.recentWaitMs;
    return whenOpen(pool, ({ state }) => verdictOnWait(state, p99, withDefaults(DEFAULTS.wait, limits)));
  }

  async breaker(pool: Pool): Promise<Verdict> {
    return whenOpen(pool, verdictOnBreaker);
  }

  async replication(pool: Pool, options: Omit<ReplicationCheckOptions, 'pool'>): Promise<Verdict> {
    const limits = withDefaults(DEFAULTS.replication, options);
    return whenOpen(pool, async ({ state }) => {
      if (!canInquire(pool)) return { status: 'up', data: { state } };
      const found = await this.#probes.ask(pool, REPLICATION, withDefaults(DEFAULTS.asking, options));
      return verdictOnReplication(state, found, limits);
    });
  }

  async everything(pool: Pool, options: AllChecksOptions): Promise<Verdict> {
    const [connectivity, replication] = await Promise.all([
      this.ping(pool, { ...options, ...options.ping }),
      this.replication(pool, { ...options, ...options.replication }),
    ]);
    const others = await Promise.all([
      this.saturation(pool, options.saturation),
      this.wait(pool, options.wait),
      this.breaker(pool),
    ]);
    // Who does not answer at all does not say where it stands either.
    return together([connectivity, ...(connectivity.status === 'down' ? [] : [replication]), ...others]);
  }
}

/** Why the server could not even be asked. */
const UNASKED: ReadonlySet<PoolTimeoutReason> = new Set(['leased', 'event-loop-blocked']);

async function whenOpen(
  pool: Pool,
  judge: (stats: PoolStats) => Verdict | Promise<Verdict>,
): Promise<Verdict> {
  const stats = pool.stats();
  try {
    return verdictOnState(stats) ?? (await judge(stats));
  } catch (error) {
    return failure(error, { state: stats.state });
  }
}

/**
 * Without shared connections a server cannot be asked while all connections are leased, nor while this process is too busy to ask; that
 * says nothing against the server.
 */
export function failure(error: unknown, data: Verdict['data'] = {}): Verdict {
  const isUnasked = error instanceof PoolTimeoutError && UNASKED.has(error.reason);
  return { status: isUnasked ? 'degraded' : 'down', data: { ...data, message: wordsOf(error) } };
}
