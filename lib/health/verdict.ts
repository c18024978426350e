import type { PoolStats } from '../core/pool.stats.js';

export type HealthStatus = 'up' | 'degraded' | 'down';

/** What is said of one pool. */
export interface Verdict {
  readonly status: HealthStatus;
  readonly data: Readonly<Record<string, unknown>>;
}

const BY_SEVERITY: readonly HealthStatus[] = ['up', 'degraded', 'down'];

export function worst(verdicts: readonly Verdict[]): HealthStatus {
  return BY_SEVERITY[Math.max(0, ...verdicts.map(({ status }) => BY_SEVERITY.indexOf(status)))] ?? 'down';
}

/** What the state alone says; nothing where the pool is open. */
export function verdictOnState({ state }: PoolStats): Verdict | undefined {
  switch (state) {
    case 'open':
      return undefined;
    case 'suspended':
      return { status: 'degraded', data: { state, message: 'the pool is suspended' } };
    case 'draining':
    case 'closed':
      return { status: 'down', data: { state, message: `the pool is ${state}` } };
  }
}

/**
 * Demand is what is leased and what is waited for, as a share of `max`: 1 when all are leased and nobody waits, 2 when as many wait
 * again.
 */
export function verdictOnDemand(stats: PoolStats, degradedAt: number, downAt: number): Verdict {
  const { leased, waiting, max } = stats;
  const demand = (leased + waiting) / max;
  const data = { state: stats.state, leased, waiting, max, demand: Math.round(demand * 1_000) / 1_000 };
  if (demand >= downAt)
    return { status: 'down', data: { ...data, message: `demand is at or above ${downAt}` } };
  if (demand >= degradedAt)
    return { status: 'degraded', data: { ...data, message: `demand is at or above ${degradedAt}` } };
  return { status: 'up', data };
}
