/** Lets callers wait until something holds that depends on events. */
export class Changes {
  readonly #checks = new Set<() => void>();

  /** Something changed that somebody may wait for. */
  tell(): void {
    for (const check of this.#checks) check();
  }

  /** Resolves as soon as `holds()`, with true, or when the time is up, with false. */
  until(holds: () => boolean, ms: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (held: boolean) => {
        clearTimeout(timer);
        this.#checks.delete(check);
        resolve(held);
      };
      const check = () => (holds() ? settle(true) : undefined);
      const timer = ms === Infinity ? undefined : setTimeout(() => settle(holds()), ms);
      this.#checks.add(check);
    });
  }
}
