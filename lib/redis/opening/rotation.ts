import type { Redis } from 'ioredis';
import { wordsOf } from '../../core/words-of.js';
import { Credentials, type CredentialsSource } from './credentials.js';

/** Two changes that come in a shorter time are one rotation. */
const SHORTEST_PAUSE_MS = 60_000;

/** Where connections may live for ever. */
const LONGEST_PAUSE_MS = 1_800_000;

/** The part of the time that jitter may take: the instances of an application must not all ask at once. */
const JITTER = 0.1;

interface Parts {
  readonly source: CredentialsSource;
  readonly timeoutMs: number;
  /** How long an answer is good for shared connections; 0 is for ever. */
  readonly maxLifetimeMs: number;
  /** The shared connections that are ready now. */
  readonly shared: () => readonly Redis[];
  /** Replaces the leased connections, gently. */
  readonly replaceLeased: () => void;
  readonly warn: (message: string) => void;
}

/**
 * Moves a pool from old credentials to new ones. Leased connections are replaced when they come back; shared ones, which live as long
 * as the pool, stay and authenticate themselves anew. Since nobody opens those again and again, they ask by themselves, in time before
 * a token of theirs expires.
 *
 * A source may make a new token for each question without any rotation behind it. Its answers would have all connections replaced for
 * each one that is opened; so changes in a row count as one, and the pause after each rotation is twice as long as the one before.
 */
export class Rotation {
  readonly credentials: Credentials;
  readonly #parts: Parts;
  #rotatedAt = -Infinity;
  #pauseMs = SHORTEST_PAUSE_MS;
  #next: NodeJS.Timeout | undefined;
  #refresh: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { source, timeoutMs } = parts;
    this.credentials = new Credentials({
      source,
      timeoutMs,
      answered: (differs) => this.#answered(differs),
    });
  }

  /** The leased connections are being replaced by somebody else: asks, and lets the shared ones authenticate themselves anew. */
  async renew(): Promise<void> {
    this.#rotatedAt = performance.now();
    await this.#askAnew();
    clearTimeout(this.#next);
    this.#next = undefined;
  }

  /** For good. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#next);
    clearTimeout(this.#refresh);
  }

  #answered(differs: boolean): void {
    if (this.#ended) return;
    const { maxLifetimeMs } = this.#parts;
    if (maxLifetimeMs > 0) this.#askAgainIn(maxLifetimeMs * (1 - Math.random() * JITTER));
    if (differs) this.#changed();
  }

  #changed(): void {
    const leftMs = this.#rotatedAt + this.#pauseMs - performance.now();
    if (leftMs <= 0) {
      this.#pauseMs = SHORTEST_PAUSE_MS;
      this.#rotate();
    } else {
      this.#next ??= setTimeout(() => {
        this.#pauseMs = Math.min(2 * this.#pauseMs, this.#parts.maxLifetimeMs || LONGEST_PAUSE_MS);
        this.#rotate();
      }, leftMs).unref();
    }
  }

  #rotate(): void {
    this.#next = undefined;
    this.#rotatedAt = performance.now();
    this.#parts.replaceLeased();
    void this.#authenticateShared();
  }

  #askAgainIn(ms: number): void {
    clearTimeout(this.#refresh);
    this.#refresh = setTimeout(() => {
      if (this.#parts.shared().length > 0) void this.#askAnew();
    }, ms).unref();
  }

  async #askAnew(): Promise<void> {
    const { maxLifetimeMs, warn } = this.#parts;
    try {
      await this.credentials.askAnew();
    } catch (error) {
      if (this.#ended) return;
      if (maxLifetimeMs > 0) this.#askAgainIn(maxLifetimeMs * JITTER);
      return warn(`the shared connections go on with the credentials they have: ${wordsOf(error)}`);
    }
    await this.#authenticateShared();
  }

  async #authenticateShared(): Promise<void> {
    const { shared, warn } = this.#parts;
    let refusal: unknown;
    for (const client of shared()) {
      try {
        await this.credentials.authenticate(client);
      } catch (error) {
        if (client.status !== 'end') refusal ??= error; // a node of a cluster that is lost is opened anew
      }
    }
    if (refusal !== undefined && !this.#ended) warn(`${UNCHANGED}: ${wordsOf(refusal)}`);
  }
}

const UNCHANGED = 'a shared connection goes on with its old credentials, for the new ones do not work';
