import { z } from 'zod';

/** However many visitors press the button: it is one load, and it is never more than this. */
export const LOAD_LIMITS = { perSecond: 500, bytes: 65_536, inFlight: 200, seconds: 120 } as const;

/** What a visitor asks for. */
export const loadOrderSchema = z.strictObject({
  /** Rounds begun in a second; each stores a snippet and reads it back. */
  perSecond: z.int().min(1).max(LOAD_LIMITS.perSecond),
  /** The length of each snippet. */
  bytes: z.int().min(64).max(LOAD_LIMITS.bytes),
});

export type LoadOrder = z.output<typeof loadOrderSchema>;
