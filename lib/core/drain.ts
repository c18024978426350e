import type { Admission } from './admission.js';
import type { DrainReport } from './drain-report.js';
import { PoolClosedError } from './pool.errors.js';

/**
 * Brings a pool that takes no new callers to rest: serves those in the line and waits for leases until the deadline, then refuses and
 * revokes the rest, and closes everything. Closing is bounded by `destroyTimeoutMs`, so this ends whatever the factory does.
 */
export async function drain<T>(admission: Admission<T>, timeoutMs: number): Promise<DrainReport> {
  const { supply } = admission;
  const startedAt = performance.now();
  const before = {
    waiting: admission.waiting,
    timeouts: admission.timeouts,
    destroyed: supply.destroyed,
    closeFailures: supply.closeFailures,
  };

  admission.roomChanged();
  if (admission.waiting === 0) supply.closeAllIdle('drained');
  const atRest = () => admission.waiting + supply.counts.leased + supply.counts.creating === 0;
  const clean = await admission.until(atRest, timeoutMs);

  const rejected = admission.refuseAll(new PoolClosedError(admission.name, 'closed'));
  const revoked = admission.revokeAll();
  supply.abandon(new PoolClosedError(admission.name, 'closed'));
  supply.closeAllIdle('drained');
  await admission.until(() => supply.size === 0, Infinity);

  return {
    pool: admission.name,
    durationMs: performance.now() - startedAt,
    clean,
    served: before.waiting - rejected - (admission.timeouts - before.timeouts),
    rejected,
    revoked,
    closed: supply.destroyed - before.destroyed,
    closeFailures: supply.closeFailures - before.closeFailures,
  };
}
