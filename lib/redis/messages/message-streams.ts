import { Command } from 'ioredis';
import { PoolOptionsError } from '../../core/pool.errors.js';
import { MessageStream, type RedisMessage } from './message-stream.js';
import type { ToMessage } from './subscriber.js';
import { Subscriptions, type SubscriptionParts } from './subscriptions.js';
import type { TopicKind } from './topic.js';

interface Parts extends SubscriptionParts {
  readonly maxBuffered: number;
  /** What ioredis puts before the names of some channels. */
  readonly keyPrefix: string | undefined;
}

/** The streams of a pool: what `subscribe()` and its relatives return. */
export class MessageStreams {
  readonly #parts: Parts;
  readonly #subscriptions: Readonly<Record<TopicKind, Subscriptions>>;

  constructor(parts: Parts) {
    this.#parts = parts;
    const subscribe = new Subscriptions(parts);
    // A connection of their own: ioredis drops what comes for others when the last sharded channel of a connection is unsubscribed.
    const ssubscribe = new Subscriptions(parts);
    this.#subscriptions = { subscribe, psubscribe: subscribe, ssubscribe };
  }

  /** @throws {PoolOptionsError} the names make no sense */
  of<M extends RedisMessage>(
    kind: TopicKind,
    names: readonly string[],
    toMessage: (name: string) => ToMessage<M>,
  ): MessageStream<M> {
    const { pool, keyPrefix, maxBuffered } = this.#parts;
    const areNames = names.length > 0 && names.every((name) => typeof name === 'string');
    if (!areNames) throw new PoolOptionsError(pool.name, [`${kind}() needs strings, at least one`]);
    const wanted = [...new Set(names)].map((name) => {
      const [wireName] = new Command(kind, [name], { keyPrefix }).args;
      return { kind, name, wireName: String(wireName), toMessage: toMessage(name) };
    });
    return new MessageStream(maxBuffered, (target) => this.#subscriptions[kind].serve(target, wanted));
  }

  /** Completes all, and gives their connections back. There will be no more of them. */
  end(): void {
    this.#subscriptions.subscribe.end();
    this.#subscriptions.ssubscribe.end();
  }
}
