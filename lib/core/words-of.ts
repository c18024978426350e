import { withoutSecrets } from './without-secrets.js';

/**
 * The words of an error, whatever was thrown, fit to be shown. An AggregateError (as `net` makes for a name with two addresses) has none
 * of its own.
 */
export function wordsOf(error: unknown): string {
  try {
    if (error instanceof AggregateError && error.message === '') return error.errors.map(wordsOf).join('; ');
    return withoutSecrets(String(error instanceof Error ? error.message || error.name : error));
  } catch {
    return 'an error without words'; // what was thrown, or its message, cannot be made a string, such as Object.create(null)
  }
}
