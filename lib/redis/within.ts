/** What an answer has to keep to; 0 or Infinity milliseconds are no limit. */
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
    signal?.addEventListener('abort', onAbort);
    if (ms > 0 && ms < Infinity) timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([answer, limit]);
  } finally {
    clearTimeout(timer);
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
