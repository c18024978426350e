import type { Subscriber as Target, TeardownLogic } from 'rxjs';
import { PoolClosedError, PoolOptionsError, PoolUnavailableError } from '../../core/pool.errors.js';
import type { ResourcePool } from '../../core/resource-pool.js';
import { wordsOf } from '../../core/words-of.js';
import type { RedisMessage } from './message-stream.js';
import type { RedisConnection } from '../redis-connection.js';
import { Subscriber, type ToMessage } from './subscriber.js';
import { SubscriberConnection, type Tenants } from './subscriber-connection.js';
import { Topic, type TopicKind, type TopicOwner } from './topic.js';

/** What somebody wants to hear. */
export interface Wanted<M> {
  readonly kind: TopicKind;
  readonly name: string;
  /** The name as messages of it come with it. */
  readonly wireName: string;
  readonly toMessage: ToMessage<M>;
}

export interface SubscriptionParts {
  readonly pool: ResourcePool<RedisConnection>;
  /** How many connections the pool may have. */
  readonly max: () => number;
  /** How long who subscribes waits until the server has confirmed it; 0 waits for ever. */
  readonly timeoutMs: number;
  /** How often the server is asked whether it is still there; 0 is never. */
  readonly beatMs: number;
  readonly warn: (message: string) => void;
}

/**
 * All subscribers that share one connection, and what they want. The connection is acquired for the first of them and given back after
 * the last. When it is lost another one is acquired, and everything is subscribed to again.
 */
export class Subscriptions implements Tenants, TopicOwner {
  readonly #parts: SubscriptionParts;
  readonly #line: SubscriberConnection;
  readonly #topics = new Map<string, Topic>();
  readonly #subscribers = new Set<Pick<Subscriber, 'isEstablished' | 'failed' | 'complete'>>();
  /** Why the connection is not there. */
  #cause: unknown;
  #hasEnded = false;

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.#line = new SubscriberConnection(parts.pool, this, parts.beatMs);
  }

  /** Serves a subscriber until what is returned is called. */
  serve<M extends RedisMessage>(target: Target<M>, wanted: readonly Wanted<M>[]): TeardownLogic {
    const refusal = this.#refusal;
    if (refusal !== undefined) return target.error(refusal);
    const topics = new Map(wanted.map((each) => [this.#topicFor(each), each.toMessage]));
    const subscriber = new Subscriber(target, topics);
    this.#subscribers.add(subscriber);
    subscriber.begin();
    this.#line.open();
    const timer = this.#expire(subscriber); // behind that of open(), which knows more when it fails at the same moment
    return () => {
      clearTimeout(timer);
      this.#subscribers.delete(subscriber);
      subscriber.leave();
    };
  }

  /** Completes every subscriber, and gives the connection back; there will be no more of them. */
  end(): void {
    this.#hasEnded = true;
    for (const subscriber of [...this.#subscribers]) subscriber.complete();
    this.#line.hurry();
  }

  get #refusal(): Error | undefined {
    const { pool, max } = this.#parts;
    if (this.#hasEnded) return new PoolClosedError(pool.name, 'being closed');
    if (pool.state === 'draining' || pool.state === 'closed')
      return new PoolClosedError(pool.name, pool.state);
    return max() > 1 ? undefined : new PoolOptionsError(pool.name, [NO_ROOM]);
  }

  #topicFor({ kind, name, wireName }: Omit<Wanted<never>, 'toMessage'>): Topic {
    const key = keyOf(kind, wireName);
    const topic = this.#topics.get(key) ?? new Topic({ kind, name, key }, this, this.#line.connection);
    this.#topics.set(key, topic);
    return topic;
  }

  #expire(subscriber: Pick<Subscriber, 'isEstablished' | 'failed'>): NodeJS.Timeout | undefined {
    const { pool, timeoutMs } = this.#parts;
    if (timeoutMs === 0) return undefined;
    return setTimeout(() => {
      if (subscriber.isEstablished) return;
      const cause = this.#cause ?? 'the server has not confirmed it';
      subscriber.failed(
        new PoolUnavailableError(pool.name, `could not subscribe within ${timeoutMs} ms`, cause),
      );
    }, timeoutMs);
  }

  quiet(topic: Topic): void {
    this.#topics.delete(topic.key);
    if (!this.areThere) this.#line.close();
  }

  troubled(connection: RedisConnection, cause: unknown): void {
    this.#line.abandon(connection, cause);
  }

  get areThere(): boolean {
    return this.#topics.size > 0;
  }

  connected(connection: RedisConnection): void {
    this.#cause = undefined;
    for (const topic of [...this.#topics.values()]) topic.attach(connection);
  }

  lost(cause: unknown): void {
    this.#cause = cause;
    for (const topic of [...this.#topics.values()]) topic.detach();
    if (this.areThere) this.#parts.warn(`${LOST}: ${wordsOf(cause)}`);
  }

  unavailable(cause: unknown): void {
    this.#cause = cause;
    for (const subscriber of [...this.#subscribers]) if (!subscriber.isEstablished) subscriber.failed(cause);
  }

  heard(kind: TopicKind, wireName: string, channel: string, message: string): void {
    this.#topics.get(keyOf(kind, wireName))?.deliver(channel, message);
  }
}

const keyOf = (kind: TopicKind, wireName: string): string => `${kind} ${wireName}`;

const NO_ROOM =
  'max must be at least 2 where somebody subscribes: a subscription keeps a connection to itself, and nothing would be left';

const LOST =
  'the connection of the subscriptions was lost, and what is published until there is another one is missed by them';
