/** What becomes of a connection that comes back. */
export type Verdict = 'keep' | 'discard';

/** A connection in the hands of one holder after the other, with one socket or several. */
export interface LeasedConnection {
  /** Calls `broken` as soon as a socket is lost. */
  watch(broken: (cause: unknown) => void): void;
  /** Makes the connection what it was for the next holder. */
  tidy(): Verdict | Promise<Verdict>;
  /** Ends what blocks; nothing when nothing does. */
  interrupt(reason: unknown): Promise<void> | undefined;
  /** Resolves when it is closed. */
  close(): Promise<void>;
}
