import type { LeaseHolder } from './lease-holder.js';

/**
 * How a drain went.
 *
 * @publicApi
 */
export interface DrainReport {
  readonly pool: string;
  readonly durationMs: number;
  /** False when the deadline passed before all work was done. */
  readonly clean: boolean;
  /** Callers who were in the queue when the drain began and still got a resource. */
  readonly served: number;
  /** Callers who were in the queue and were refused at the deadline. */
  readonly rejected: number;
  /** Holders who were late: their leases were revoked at the deadline, and the resources closed under them. */
  readonly revoked: readonly LeaseHolder[];
  /** Resources closed by the drain. */
  readonly closed: number;
  /** Resources that did not close within `destroyTimeoutMs`, or failed to. */
  readonly closeFailures: number;
}

/** How a part of a pool came to rest. */
export type PartReport = Omit<DrainReport, 'pool' | 'revoked'>;

/** The report of a pool of which a part was drained apart. */
export function withPart(report: DrainReport, part: PartReport): DrainReport {
  return {
    ...report,
    durationMs: Math.max(report.durationMs, part.durationMs),
    clean: report.clean && part.clean,
    served: report.served + part.served,
    rejected: report.rejected + part.rejected,
    closed: report.closed + part.closed,
    closeFailures: report.closeFailures + part.closeFailures,
  };
}
