import { describe, expect, it } from '@jest/globals';
import { withPart, type DrainReport } from './drain-report.js';

const OWN: DrainReport = {
  pool: 'p',
  durationMs: 20,
  clean: true,
  served: 1,
  rejected: 2,
  revoked: [{ heldMs: 5 }],
  closed: 3,
  closeFailures: 4,
};

describe('the report of a pool with a part that was drained apart', () => {
  it('sums up both, and took as long as the longer', () => {
    const part = { durationMs: 50, clean: true, served: 10, rejected: 20, closed: 30, closeFailures: 40 };
    expect(withPart(OWN, part)).toEqual({
      pool: 'p',
      durationMs: 50,
      clean: true,
      served: 11,
      rejected: 22,
      revoked: [{ heldMs: 5 }],
      closed: 33,
      closeFailures: 44,
    });
  });

  it.each([
    [true, false],
    [false, true],
  ])('is clean only when both were', (own, part) => {
    const report = withPart({ ...OWN, clean: own }, { ...OWN, clean: part, durationMs: 1 });
    expect(report).toMatchObject({ clean: false, durationMs: 20 });
  });
});
