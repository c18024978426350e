import type { Subscriber as Target } from 'rxjs';
import type { RedisMessage } from './message-stream.js';
import type { Listener, Topic } from './topic.js';

/** Makes a message of what was published, as its subscriber asked for it. */
export type ToMessage<M> = (channel: string, message: string) => M;

/** One subscriber of a stream, with the topics that it listens to until it leaves. */
export class Subscriber<M extends RedisMessage = RedisMessage> {
  readonly #target: Target<M>;
  readonly #ears: Ear<M>[];
  #isEstablished = false;

  constructor(target: Target<M>, wanted: ReadonlyMap<Topic, ToMessage<M>>) {
    this.#target = target;
    this.#ears = [...wanted].map(([topic, toMessage]) => new Ear(this, topic, toMessage));
  }

  /** Everything that it wants was confirmed once: from here on it survives outages. */
  get isEstablished(): boolean {
    return (this.#isEstablished ||= this.#ears.every((ear) => ear.wasConfirmed));
  }

  begin(): void {
    for (const ear of this.#ears) ear.topic.join(ear);
  }

  leave(): void {
    for (const ear of this.#ears) ear.topic.leave(ear);
  }

  take(message: M): void {
    this.#target.next(message);
  }

  failed(reason: unknown): void {
    this.#target.error(reason);
  }

  complete(): void {
    this.#target.complete();
  }
}

/** What a subscriber has at one topic. */
class Ear<M extends RedisMessage> implements Listener {
  readonly topic: Topic;
  wasConfirmed = false;
  readonly #subscriber: Subscriber<M>;
  readonly #toMessage: ToMessage<M>;
  #missedSome = false;

  constructor(subscriber: Subscriber<M>, topic: Topic, toMessage: ToMessage<M>) {
    this.#subscriber = subscriber;
    this.topic = topic;
    this.#toMessage = toMessage;
  }

  get isEstablished(): boolean {
    return this.#subscriber.isEstablished;
  }

  take(channel: string, text: string): void {
    const message = this.#toMessage(channel, text);
    const missedSome = this.#missedSome;
    this.#missedSome = false;
    this.#subscriber.take(missedSome ? { ...message, lost: 'unknown' } : message);
  }

  confirmed(): void {
    this.wasConfirmed = true;
  }

  interrupted(): void {
    this.#missedSome = this.wasConfirmed;
  }

  failed(reason: unknown): void {
    this.#subscriber.failed(reason);
  }
}
