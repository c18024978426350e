import { heedSignal } from '../core/heed-signal.js';

/** More than a timer can count, 24 days, and it would end at once. */
const TOO_LONG_MS = 2 ** 31;

/** A deadline is counted in so many parts, unless they were shorter than a timer is exact. */
const PARTS = 5;
const SHORTEST_PART_MS = 10;

/** What an answer has to keep to; 0 milliseconds are no limit, and neither are more than 24 days. */
export interface AnswerLimits {
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
  /** Made when the time is up. */
  readonly late: () => Error;
}

/**
 * The outcome of `answer`, if it comes in time.
 * @throws what `answer` throws, what `late` makes when the time is up, or the signal's reason
 */
export async function within<R>(answer: Promise<R>, { ms, signal, late }: AnswerLimits): Promise<R> {
  let onAbort: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal?.reason as Error);
    if (signal?.aborted === true) onAbort();
    if (signal !== undefined) heedSignal(signal, onAbort);
    if (ms > 0 && ms < TOO_LONG_MS) timer = afterListening(ms, () => reject(late()));
  });
  try {
    return await Promise.race([answer, limit]);
  } finally {
    clearInterval(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}

/** Whether `work` succeeds in time. */
export function settles(work: Promise<unknown>, ms: number): Promise<boolean> {
  return within(work, { ms, late: () => new Error('too late') }).then(
    () => true,
    () => false,
  );
}

/**
 * Calls back after so many milliseconds in which this process could listen: of a time in which it was too busy for that, one part counts
 * at most, for the answer may lie unread in the socket.
 */
function afterListening(ms: number, callback: () => void): NodeJS.Timeout {
  const parts = Math.max(1, Math.min(PARTS, Math.floor(ms / SHORTEST_PART_MS)));
  let left = parts;
  return setInterval(
    () => {
      left -= 1;
      if (left === 0) callback();
    },
    Math.ceil(ms / parts),
  );
}
