import { z } from 'zod';

/** What the application reads from its environment. */
export const environmentSchema = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3_000),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  LAST_DRAIN_FILE: z.string().min(1).optional(),
});

export type Environment = z.output<typeof environmentSchema>;
