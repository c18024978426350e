import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { isObject, milliseconds, optionProblems, type OptionRule } from '../core/option-rules.js';
import { messageOf, PoolOptionsError } from '../core/pool.errors.js';
import type { ResourcePool } from '../core/resource-pool.js';
import { PoolRegistry } from '../pool.registry.js';
import { verdictOnDemand, verdictOnState, worst, type HealthStatus, type Verdict } from './verdict.js';

const DEFAULT_PING_TIMEOUT_MS = 1_000;
const DEFAULT_DEGRADED_AT = 1;

/** Which pool is asked, and for how long. @publicApi */
export interface PingCheckOptions {
  /** The pool, or its name. */
  pool: string | ResourcePool<unknown>;
  /** How long the answer may take. Default 1,000. */
  timeoutMs?: number;
}

/** Which pool is looked at, and where the limits are, in shares of `max`: (leased + waiting) / max. @publicApi */
export interface SaturationCheckOptions {
  /** The pool, or its name. */
  pool: string | ResourcePool<unknown>;
  /** Degraded from here on. Default 1: all are leased. */
  degradedAt?: number;
  /** Down from here on. Default: never, because a busy instance taken out of service makes the others busier. */
  downAt?: number;
}

/** A pool that can tell whether its server answers. */
interface Pingable {
  ping(options: { timeoutMs: number }): Promise<number>;
}

/**
 * Terminus checks of the pools. None throws, none takes a lease, and none shows a secret. From the moment the application begins to
 * shut down all are down, so that readiness turns first.
 *
 * Terminus 12 knows `degraded`; on Terminus 11 such a pool is up, with `degraded` in its details.
 *
 * @publicApi
 * @example
 * @HealthCheck()
 * check() {
 *   return this.health.check([() => this.pools.pingCheck('cache', { pool: 'cache' }), () => this.pools.checkAll('pools')]);
 * }
 */
@Injectable()
export class PoolHealthIndicator {
  constructor(
    private readonly health: HealthIndicatorService,
    private readonly registry: PoolRegistry,
  ) {}

  /**
   * Whether the pool's server answers, and how fast. A pool that has no server to ask (compression, custom) is up while it is open.
   */
  async pingCheck<const Key extends string>(
    key: Key,
    options: PingCheckOptions,
  ): Promise<HealthIndicatorResult<Key>> {
    return this.result(key, async () => {
      check(options, { timeoutMs: milliseconds() });
      return this.ping(this.poolOf(options.pool), options.timeoutMs ?? DEFAULT_PING_TIMEOUT_MS);
    });
  }

  /** How much of the pool is in use, and whether callers wait. */
  async saturationCheck<const Key extends string>(
    key: Key,
    options: SaturationCheckOptions,
  ): Promise<HealthIndicatorResult<Key>> {
    return this.result(key, () => {
      check(options, { degradedAt: share, downAt: share });
      const { degradedAt = DEFAULT_DEGRADED_AT, downAt = Infinity } = options;
      const stats = this.poolOf(options.pool).stats();
      return verdictOnState(stats) ?? verdictOnDemand(stats, degradedAt, downAt);
    });
  }

  /** Every registered pool: its connectivity, and its saturation with the default limits. As bad as the worst of them. */
  async checkAll<const Key extends string>(
    key: Key,
    { timeoutMs = DEFAULT_PING_TIMEOUT_MS }: { timeoutMs?: number } = {},
  ): Promise<HealthIndicatorResult<Key>> {
    return this.result(key, async () => {
      const pools = this.registry.all();
      const verdicts = await Promise.all(pools.map((pool) => this.everythingAbout(pool, timeoutMs)));
      const details = pools.map(
        ({ name }, at) => [name, { status: verdicts[at]?.status, ...verdicts[at]?.data }] as const,
      );
      return { status: worst(verdicts), data: { pools: Object.fromEntries(details) } };
    });
  }

  private async everythingAbout(pool: ResourcePool<unknown>, timeoutMs: number): Promise<Verdict> {
    const connectivity = await this.ping(pool, timeoutMs);
    if (connectivity.status === 'down') return connectivity;
    const saturation = verdictOnDemand(pool.stats(), DEFAULT_DEGRADED_AT, Infinity);
    return { status: worst([connectivity, saturation]), data: { ...saturation.data, ...connectivity.data } };
  }

  private async ping(pool: ResourcePool<unknown>, timeoutMs: number): Promise<Verdict> {
    const stats = pool.stats();
    const state = verdictOnState(stats);
    if (state !== undefined) return state;
    if (!isPingable(pool)) return { status: 'up', data: { state: stats.state } };
    try {
      const responseTimeMs = Math.round((await pool.ping({ timeoutMs })) * 1_000) / 1_000;
      return { status: 'up', data: { state: stats.state, responseTimeMs } };
    } catch (error) {
      return { status: 'down', data: { state: stats.state, message: messageOf(error) } };
    }
  }

  private poolOf(pool: string | ResourcePool<unknown>): ResourcePool<unknown> {
    return typeof pool === 'string' ? this.registry.get(pool) : pool;
  }

  private async result<const Key extends string>(
    key: Key,
    judge: () => Verdict | Promise<Verdict>,
  ): Promise<HealthIndicatorResult<Key>> {
    const { status, data } = await this.verdict(judge);
    return this.render(key, status, data);
  }

  private async verdict(judge: () => Verdict | Promise<Verdict>): Promise<Verdict> {
    if (this.registry.isShuttingDown)
      return { status: 'down', data: { message: 'the application is shutting down' } };
    try {
      return await judge();
    } catch (error) {
      return { status: 'down', data: { message: messageOf(error) } };
    }
  }

  private render<const Key extends string>(
    key: Key,
    status: HealthStatus,
    data: Readonly<Record<string, unknown>>,
  ): HealthIndicatorResult<Key> {
    const session = this.health.check(key);
    if (status === 'down') return session.down(data);
    if (status === 'up') return session.up(data);
    const knowsDegraded = typeof (session as { degraded?: unknown }).degraded === 'function';
    return knowsDegraded ? session.degraded(data) : session.up({ ...data, degraded: true });
  }
}

const share: OptionRule = (value) =>
  typeof value === 'number' && value > 0 ? undefined : 'a number greater than 0';

function check(options: object, rules: Readonly<Record<string, OptionRule>>): void {
  const problems = isObject(options)
    ? optionProblems(options, { pool: () => undefined, ...rules })
    : ['the options must be an object with the pool to check'];
  if (problems.length > 0) throw new PoolOptionsError('', problems);
}

const isPingable = (pool: object): pool is Pingable => typeof (pool as Partial<Pingable>).ping === 'function';
