import { z } from 'zod';

/** What a visitor may do to the embedded Redis. */
export const faultOrderSchema = z.strictObject({
  /** `pause`: it answers nobody. `stop`: it is gone, and comes back empty. `cut`: it closes all connections, once. */
  kind: z.enum(['pause', 'stop', 'cut']),
  /** How long it is paused or gone. */
  seconds: z.int().min(1).max(10).default(4),
});

export type FaultOrder = z.output<typeof faultOrderSchema>;
