import { ReplyError } from 'ioredis';
import type { RedisConnection } from '../redis-connection.js';

/** The command that subscribes. */
export type TopicKind = 'subscribe' | 'psubscribe' | 'ssubscribe';

const UNSUBSCRIBE = {
  subscribe: 'unsubscribe',
  psubscribe: 'punsubscribe',
  ssubscribe: 'sunsubscribe',
} as const;

/** Somebody who wants the messages of one topic. */
export interface Listener {
  /** It had what it asked for: no outage can end it, only a refusal. */
  readonly isEstablished: boolean;
  take(channel: string, message: string): void;
  /** The server has confirmed the subscription, perhaps again. */
  confirmed(): void;
  /** The subscription is lost, with what is published until it is confirmed again. */
  interrupted(): void;
  /** The subscription cannot be had. */
  failed(reason: unknown): void;
}

/** Who has the connection. */
export interface TopicOwner {
  /** Nobody listens to the topic, and the server does not know of it. */
  quiet(topic: Topic): void;
  /** The connection is of no use to the topic any more. */
  troubled(connection: RedisConnection, cause: unknown): void;
}

/** How a topic stands on one connection. */
class Standing {
  isSubscribed = false;
  /** The server is being told; or it cannot be, and the connection is as good as lost. */
  isSettling = false;

  constructor(readonly connection: RedisConnection) {}
}

/** One channel or pattern, and who listens to it. Sees to it that the server knows, whatever changes while it is being told. */
export class Topic {
  readonly key: string;
  readonly #kind: TopicKind;
  readonly #name: string;
  readonly #owner: TopicOwner;
  readonly #listeners = new Set<Listener>();
  #standing: Standing | undefined;

  constructor(
    { kind, name, key }: { kind: TopicKind; name: string; key: string },
    owner: TopicOwner,
    connection: RedisConnection | undefined,
  ) {
    this.key = key;
    this.#kind = kind;
    this.#name = name;
    this.#owner = owner;
    this.#standing = connection && new Standing(connection);
  }

  join(listener: Listener): void {
    this.#listeners.add(listener);
    if (this.#standing?.isSubscribed === true && !this.#standing.isSettling) listener.confirmed();
    else this.#settle();
  }

  leave(listener: Listener): void {
    this.#listeners.delete(listener);
    this.#settle();
  }

  /** There is a new connection to subscribe on. */
  attach(connection: RedisConnection): void {
    this.#standing = new Standing(connection);
    this.#settle();
  }

  /** The connection is lost. */
  detach(): void {
    this.#standing = undefined;
    for (const listener of this.#listeners) listener.interrupted();
    this.#settle();
  }

  /** To those who listen now: who comes on hearing it waits for the next. */
  deliver(channel: string, message: string): void {
    for (const listener of [...this.#listeners]) listener.take(channel, message);
  }

  get #isWanted(): boolean {
    return this.#listeners.size > 0;
  }

  #settle(): void {
    const standing = this.#standing;
    if (standing?.isSettling === true) return;
    if (standing !== undefined && standing.isSubscribed !== this.#isWanted) void this.#agree(standing);
    else if (!this.#isWanted) this.#owner.quiet(this);
  }

  /** Tells the server what is wanted, one command after the other, until it knows. */
  async #agree(standing: Standing): Promise<void> {
    standing.isSettling = true;
    while (standing === this.#standing && standing.isSubscribed !== this.#isWanted) {
      const isWanted = this.#isWanted;
      try {
        await standing.connection[isWanted ? this.#kind : UNSUBSCRIBE[this.#kind]](this.#name);
        standing.isSubscribed = isWanted;
      } catch (error) {
        if (isWanted && error instanceof ReplyError) this.#refused(error as Error);
        if (this.#isWanted || !isWanted) return this.#owner.troubled(standing.connection, error);
      }
    }
    if (standing !== this.#standing) return;
    standing.isSettling = false;
    if (standing.isSubscribed) for (const listener of [...this.#listeners]) listener.confirmed();
    else this.#owner.quiet(this);
  }

  /** Who had the subscription may have it again when the server has recovered; but not without the permission. */
  #refused(error: Error): void {
    const isFinal = error.message.startsWith('NOPERM');
    for (const listener of [...this.#listeners])
      if (isFinal || !listener.isEstablished) listener.failed(error);
  }
}
