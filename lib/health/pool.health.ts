import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { PoolOptionsError } from '../core/pool.errors.js';
import { ResourcePool } from '../core/resource-pool.js';
import { PoolRegistry } from '../pool.registry.js';
import { Examiner, failure } from './examiner.js';
import {
  checkOptions,
  RULES,
  type AllChecksOptions,
  type BreakerCheckOptions,
  type PingCheckOptions,
  type ReadinessCheckOptions,
  type ReplicationCheckOptions,
  type SaturationCheckOptions,
  type WaitCheckOptions,
} from './health.options.js';
import { atMostDegraded, worst, type HealthStatus, type Verdict } from './verdict.js';

/**
 * Terminus checks of the pools. None throws, each ends by its deadline, and none shows a secret. None takes a lease, but in a Redis pool
 * without shared connections, where there is no other way to ask the server. From the moment the application begins to shut down all
 * but `livenessCheck` are down, so that readiness turns first.
 *
 * Terminus 12 knows `degraded`; on Terminus 11 such a pool is up, with `degraded` in its details.
 *
 * @publicApi
 * @example
 * @Get('live') @HealthCheck()
 * live() { return this.health.check([() => this.pools.livenessCheck('process')]); }
 *
 * @Get('ready') @HealthCheck()
 * ready() { return this.health.check([() => this.pools.readinessCheck('pools', { cacheForMs: 1_000 })]); }
 */
@Injectable()
export class PoolHealthIndicator {
  private readonly examiner = new Examiner();

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
    return this.result(key, () => {
      checkOptions(options, RULES.ping);
      return this.examiner.ping(this.poolOf(options.pool), options);
    });
  }

  /** How much of the pool is in use, and whether callers wait. */
  async saturationCheck<const Key extends string>(
    key: Key,
    options: SaturationCheckOptions,
  ): Promise<HealthIndicatorResult<Key>> {
    return this.result(key, () => {
      checkOptions(options, RULES.saturation);
      return this.examiner.saturation(this.poolOf(options.pool), options);
    });
  }

  /** How long callers wait for a lease: the 99th percentile of the last minute or two. */
  async waitCheck<const Key extends string>(
    key: Key,
    options: WaitCheckOptions,
  ): Promise<HealthIndicatorResult<Key>> {
    return this.result(key, () => {
      checkOptions(options, RULES.wait);
      return this.examiner.wait(this.poolOf(options.pool), options);
    });
  }

  /** Whether resources can be opened: degraded while the breaker is open, and down when there is nothing left to lend either. */
  async breakerCheck<const Key extends string>(
    key: Key,
    options: BreakerCheckOptions,
  ): Promise<HealthIndicatorResult<Key>> {
    return this.result(key, () => {
      checkOptions(options, RULES.breaker);
      return this.examiner.breaker(this.poolOf(options.pool));
    });
  }

  /**
   * How far a Redis replica is behind its primary, by INFO replication. A primary is up, and so is a pool that is not of Redis, or whose
   * user may not ask. Of a cluster one node is asked.
   */
  async replicationCheck<const Key extends string>(
    key: Key,
    options: ReplicationCheckOptions,
  ): Promise<HealthIndicatorResult<Key>> {
    return this.result(key, () => {
      checkOptions(options, RULES.replication);
      return this.examiner.replication(this.poolOf(options.pool), options);
    });
  }

  /** Every registered pool, by every check that concerns it. As bad as the worst of them. */
  async checkAll<const Key extends string>(
    key: Key,
    options: AllChecksOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    return this.result(key, () => {
      checkOptions(options, RULES.all);
      return this.everyPool(options);
    });
  }

  /**
   * Whether requests should be sent here: as `checkAll`, where pools that are `optional` only degrade it. Down from the moment the
   * application begins to shut down, while it still answers what was sent to it before.
   */
  async readinessCheck<const Key extends string>(
    key: Key,
    options: ReadinessCheckOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    return this.result(key, () => {
      checkOptions(options, RULES.readiness);
      for (const name of options.optional ?? []) this.registry.get(name);
      return this.everyPool(options, options.optional);
    });
  }

  /**
   * Whether this process runs; a process that answers does. No server's absence, no exhausted pool and no shutdown fails it, because a
   * restart would cure none of these.
   */
  livenessCheck<const Key extends string>(key: Key): Promise<HealthIndicatorResult<Key>> {
    return Promise.resolve(this.health.check(key).up());
  }

  private async everyPool(options: AllChecksOptions, optional: readonly string[] = []): Promise<Verdict> {
    const pools = this.registry.all();
    const verdicts = await Promise.all(
      pools.map(async (pool) => {
        const verdict = await this.examiner.everything(pool, options);
        return optional.includes(pool.name) ? atMostDegraded(verdict) : verdict;
      }),
    );
    const details = pools.map(
      ({ name }, at) => [name, { status: verdicts[at]?.status, ...verdicts[at]?.data }] as const,
    );
    return { status: worst(verdicts), data: { pools: Object.fromEntries(details) } };
  }

  private poolOf(pool: string | ResourcePool<unknown>): ResourcePool<unknown> {
    if (typeof pool === 'string') return this.registry.get(pool);
    if (pool instanceof ResourcePool) return pool;
    throw new PoolOptionsError('', ['pool must be a pool, or the name of one']);
  }

  private async result<const Key extends string>(
    key: Key,
    judge: () => Promise<Verdict>,
  ): Promise<HealthIndicatorResult<Key>> {
    const verdict = await this.verdict(judge);
    // It may have begun while a server was asked.
    const { status, data } = this.registry.isShuttingDown ? SHUTTING_DOWN : verdict;
    return this.render(key, status, data);
  }

  private async verdict(judge: () => Promise<Verdict>): Promise<Verdict> {
    if (this.registry.isShuttingDown) return SHUTTING_DOWN;
    try {
      return await judge();
    } catch (error) {
      return failure(error);
    }
  }

  private render<const Key extends string>(
    key: Key,
    status: HealthStatus,
    data: Verdict['data'],
  ): HealthIndicatorResult<Key> {
    const session = this.health.check(key);
    if (status === 'down') return session.down(data);
    if (status === 'up') return session.up(data);
    const knowsDegraded = typeof (session as { degraded?: unknown }).degraded === 'function';
    return knowsDegraded ? session.degraded(data) : session.up({ ...data, degraded: true });
  }
}

const SHUTTING_DOWN: Verdict = { status: 'down', data: { message: 'the application is shutting down' } };
