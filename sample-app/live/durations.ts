export interface DurationsRead {
  /** How often it happened. */
  readonly perSecond: number;
  /** In milliseconds, as `p99`; null when there was none, which JSON can tell from 0. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** How long things took since they were last read, in milliseconds. */
export class Durations {
  private list: number[] = [];
  private readAt = performance.now();

  add(ms: number): void {
    this.list.push(ms);
  }

  read(): DurationsRead {
    const now = performance.now();
    const sorted = this.list.sort((one, other) => one - other);
    const perSecond = rounded((1_000 * sorted.length) / (now - this.readAt), 1);
    this.list = [];
    this.readAt = now;
    return { perSecond, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
  }
}

function quantile(sorted: readonly number[], share: number): number | null {
  const value = sorted[Math.ceil(sorted.length * share) - 1];
  return value === undefined ? null : rounded(value, 3);
}

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));
