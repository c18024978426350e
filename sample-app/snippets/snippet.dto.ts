import { z } from 'zod';

const DAY_SECONDS = 24 * 60 * 60;

/** What a client sends to store a snippet. */
export const newSnippetSchema = z.strictObject({
  text: z
    .string()
    .min(1)
    .regex(/^\P{Cs}*$/u, 'Invalid input: not well-formed Unicode'),
  ttlSeconds: z
    .int()
    .min(1)
    .max(30 * DAY_SECONDS)
    .default(DAY_SECONDS),
});

export type NewSnippet = z.output<typeof newSnippetSchema>;

/** What the client gets to know about it. */
export interface StoredSnippet {
  id: string;
  /** The length of the text in UTF-8. */
  bytes: number;
  /** What is left of it in Redis. */
  storedBytes: number;
}
