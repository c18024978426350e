import type { Admission } from './admission.js';
import type { DrainReport } from './drain-report.js';
import { PoolClosedError } from './pool.errors.js';

/**
 * Brings a pool that takes no new callers to rest: serves those in the line and waits for leases until the deadline, then refuses and
 * revokes the rest, and closes everything. Closing is bounded by `destroyTimeoutMs`, so this ends whatever the factory does.
 */
export async function drain<T>(admission: Admission<T>, timeoutMs: number): Promise<DrainReport> {
  const { supply, lending } = admission;
  const startedAt = performance.now();
  const { lent } = lending;
  const { destroyed, closeFailures } = supply;

  admission.roomChanged();
  if (admission.waiting === 0) supply.closeAllIdle('drained');
  const clean = await admission.until(() => admission.waiting + supply.counts.leased === 0, timeoutMs);

  const closed = new PoolClosedError(admission.name, 'closed');
  const rejected = admission.refuseAll(closed);
  const revoked = lending.revokeAll();
  supply.abandon(closed);
  supply.closeAllIdle('drained');
  await admission.until(() => supply.size === 0, Infinity);

  return {
    pool: admission.name,
    durationMs: performance.now() - startedAt,
    clean,
    served: lending.lent - lent,
    rejected,
    revoked,
    closed: supply.destroyed - destroyed,
    closeFailures: supply.closeFailures - closeFailures,
  };
}
