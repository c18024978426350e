import type { PoolState } from '../core/pool.state.js';
import type { PoolStats } from '../core/pool.stats.js';
import type { ReplicationLimits, SaturationLimits, WaitLimits } from './health.options.js';
import type { Replication } from './replication.js';

export type HealthStatus = 'up' | 'degraded' | 'down';

/** What is said of one pool. */
export interface Verdict {
  readonly status: HealthStatus;
  readonly data: Readonly<Record<string, unknown>>;
}

const BY_SEVERITY: readonly HealthStatus[] = ['up', 'degraded', 'down'];

const severity = ({ status }: Verdict): number => BY_SEVERITY.indexOf(status);

export function worst(verdicts: readonly Verdict[]): HealthStatus {
  return BY_SEVERITY[Math.max(0, ...verdicts.map(severity))] ?? 'down';
}

/** All that several checks say of a pool; the gravest first, where they have messages. */
export function together(verdicts: readonly Verdict[]): Verdict {
  const gravestFirst = [...verdicts].sort((one, other) => severity(other) - severity(one));
  const messages = gravestFirst.flatMap(({ data: { message } }) =>
    typeof message === 'string' ? message : [],
  );
  const data = Object.assign({}, ...verdicts.map((verdict) => verdict.data)) as Verdict['data'];
  return {
    status: worst(verdicts),
    data: messages.length === 0 ? data : { ...data, message: [...new Set(messages)].join('; ') },
  };
}

/** For a pool that the application can do without. */
export const atMostDegraded = (verdict: Verdict): Verdict =>
  verdict.status === 'down' ? { ...verdict, status: 'degraded' } : verdict;

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

export function verdictOnAnswer(state: PoolState, tookMs: number, degradedAtMs: number): Verdict {
  const data = { state, responseTimeMs: rounded(tookMs) };
  return tookMs < degradedAtMs
    ? { status: 'up', data }
    : { status: 'degraded', data: { ...data, message: `the answer took ${degradedAtMs} ms or more` } };
}

/**
 * Demand is what is leased and what is waited for, as a share of `max`: 1 when all are leased and nobody waits, 2 when as many wait
 * again.
 */
export function verdictOnDemand(stats: PoolStats, limits: Required<SaturationLimits>): Verdict {
  const { state, leased, waiting, max } = stats;
  const demand = (leased + waiting) / max;
  const data = { state, leased, waiting, max, demand: rounded(demand) };
  return judged(
    data,
    demand,
    [limits.degradedAt, limits.downAt],
    (limit) => `demand is at or above ${limit}`,
  );
}

export function verdictOnWait(state: PoolState, p99Ms: number, limits: Required<WaitLimits>): Verdict {
  const data = { state, waitP99Ms: rounded(p99Ms) };
  const message = (limit: number) => `one caller in a hundred waits ${limit} ms or more`;
  return judged(data, p99Ms, [limits.degradedAtMs, limits.downAtMs], message);
}

/** Down when there is nothing to lend either; what is open already still serves. */
export function verdictOnBreaker(stats: PoolStats & { readonly shared?: number }): Verdict {
  const { state, breaker, idle, leased, shared = 0 } = stats;
  if (breaker === 'closed') return { status: 'up', data: { state, breaker } };
  const isEmpty = idle + leased + shared === 0;
  const message = `nothing can be opened, try after try has failed${isEmpty ? '' : '; what is open already still serves'}`;
  return { status: isEmpty ? 'down' : 'degraded', data: { state, breaker, message } };
}

export function verdictOnReplication(
  state: PoolState,
  { role, link, lagMs }: Replication,
  limits: Required<ReplicationLimits>,
): Verdict {
  if (role !== 'replica') return { status: 'up', data: { state, role } };
  const data = { state, role, link, lagMs };
  const message = (limit: number) => `nothing was heard of the primary for ${limit} ms or more`;
  const verdict = judged(data, lagMs ?? 0, [limits.degradedAtMs, limits.downAtMs], message);
  if (link === 'up' || verdict.status === 'down') return verdict;
  return { status: 'degraded', data: { ...data, message: 'the replica has lost its primary' } };
}

function judged(
  data: Verdict['data'],
  value: number,
  [degradedAt, downAt]: readonly [number, number],
  message: (limit: number) => string,
): Verdict {
  if (value >= downAt) return { status: 'down', data: { ...data, message: message(downAt) } };
  if (value >= degradedAt) return { status: 'degraded', data: { ...data, message: message(degradedAt) } };
  return { status: 'up', data };
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
