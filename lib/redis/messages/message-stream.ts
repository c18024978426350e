import { Observable, type Subscriber, type TeardownLogic } from 'rxjs';
import { MessageBuffer, type Lost, type MayTellOfLoss } from './message-buffer.js';

/** What was published to a channel. @publicApi */
export interface RedisMessage extends MayTellOfLoss {
  readonly channel: string;
  readonly message: string;
  /**
   * Messages are missing before this one: so many that a slow `for await` loop left behind, or `unknown` where the connection was
   * lost and is back. Left out where nothing is known to be missing.
   */
  readonly lost?: Lost;
}

/** What was published to a channel that a pattern matches. @publicApi */
export interface RedisPatternMessage extends RedisMessage {
  readonly pattern: string;
}

/**
 * Messages as they come. An Observable, cold: nothing is sent before somebody subscribes. It can be iterated as well: a loop that is
 * slower than the messages has those that wait kept for it, up to `maxBufferedMessages`, and is told in `lost` how many more there
 * were; the oldest are dropped. Leaving the loop unsubscribes.
 *
 * @publicApi
 * @example
 * for await (const { channel, message, lost } of pool.subscribe('news')) {
 *   if (lost !== undefined) await catchUp();
 *   await handle(channel, message);
 * }
 */
export class MessageStream<M extends MayTellOfLoss>
  extends Observable<M>
  implements AsyncIterable<M, undefined>
{
  readonly #maxBuffered: number;

  /** @internal Streams are made by pools. */
  constructor(maxBuffered: number, subscribe: (subscriber: Subscriber<M>) => TeardownLogic) {
    super(subscribe);
    this.#maxBuffered = maxBuffered;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<M, undefined> {
    return new MessageBuffer(this, this.#maxBuffered);
  }
}
