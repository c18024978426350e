type Work = Promise<void> | undefined;

/** What comes after some work: at once, in this very turn, where there is nothing to wait for. */
export function after(work: Work, next: () => Work): Work {
  return work === undefined ? next() : work.then(next);
}
