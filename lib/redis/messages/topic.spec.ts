import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ReplyError } from 'ioredis';
import type { RedisConnection } from '../redis-connection.js';
import { Topic, type Listener } from './topic.js';

const ServerSays = ReplyError as new (message: string) => Error;

/** Collects what is sent; the test answers. */
class FakeConnection {
  readonly sent: string[] = [];
  readonly #answers: ((error?: Error) => void)[] = [];

  subscribe = (name: string) => this.#send(`subscribe ${name}`);
  unsubscribe = (name: string) => this.#send(`unsubscribe ${name}`);

  /** Answers the oldest command. */
  async answers(error?: Error): Promise<void> {
    this.#answers.shift()!(error);
    await new Promise(setImmediate);
  }

  get asRedis(): RedisConnection {
    return this as unknown as RedisConnection;
  }

  #send(command: string): Promise<void> {
    this.sent.push(command);
    return new Promise((resolve, reject) =>
      this.#answers.push((error) => (error === undefined ? resolve() : reject(error))),
    );
  }
}

/** As a subscriber does, it leaves when it fails. */
class FakeListener implements Listener {
  isEstablished = false;
  confirmations = 0;
  interruptions = 0;
  readonly taken: string[] = [];
  reason: unknown;

  take = (_: string, message: string) => void this.taken.push(message);

  confirmed(): void {
    this.confirmations += 1;
    this.isEstablished = true;
  }

  interrupted(): void {
    this.interruptions += 1;
  }

  failed(reason: unknown): void {
    this.reason = reason;
    topic.leave(this);
  }
}

const quiet = jest.fn();
const troubled = jest.fn();
let connection: FakeConnection;
let topic: Topic;
let listener: FakeListener;

beforeEach(() => {
  quiet.mockClear();
  troubled.mockClear();
  connection = new FakeConnection();
  listener = new FakeListener();
  topic = new Topic({ kind: 'subscribe', name: 'sport', key: 'k' }, { quiet, troubled }, connection.asRedis);
});

describe('A topic', () => {
  it('is subscribed to once for all who listen, and unsubscribed after the last', async () => {
    const other = new FakeListener();
    topic.join(listener);
    topic.join(other);
    await connection.answers();
    expect([listener.confirmations, other.confirmations]).toEqual([1, 1]);
    topic.leave(listener);
    expect(connection.sent).toEqual(['subscribe sport']);
    topic.leave(other);
    expect(quiet).not.toHaveBeenCalled();
    await connection.answers();
    expect(connection.sent).toEqual(['subscribe sport', 'unsubscribe sport']);
    expect(quiet).toHaveBeenCalledWith(topic);
  });

  it('that is subscribed to confirms whoever comes later at once', async () => {
    topic.join(new FakeListener());
    await connection.answers();
    topic.join(listener);
    expect(listener.confirmations).toBe(1);
  });

  it('left while it is being subscribed to is unsubscribed when that is answered', async () => {
    topic.join(listener);
    topic.leave(listener);
    expect(connection.sent).toEqual(['subscribe sport']);
    await connection.answers();
    expect(connection.sent).toEqual(['subscribe sport', 'unsubscribe sport']);
    await connection.answers();
    expect(quiet).toHaveBeenCalledTimes(1);
  });

  it('left and wanted again in one moment is confirmed only when the server knows', async () => {
    topic.join(listener);
    await connection.answers();
    topic.leave(listener);
    const again = new FakeListener();
    topic.join(again);
    await connection.answers();
    expect(again.confirmations).toBe(0);
    await connection.answers();
    expect(again.confirmations).toBe(1);
    expect(connection.sent).toEqual(['subscribe sport', 'unsubscribe sport', 'subscribe sport']);
  });

  it('without a connection waits for one, and is quiet at once when it is left', () => {
    topic.detach();
    quiet.mockClear();
    topic.join(listener);
    topic.leave(listener);
    expect(connection.sent).toEqual([]);
    expect(quiet).toHaveBeenCalledTimes(1);
  });

  it('is subscribed to again on another connection, and tells of the gap', async () => {
    topic.join(listener);
    await connection.answers();
    topic.detach();
    expect(listener.interruptions).toBe(1);
    const next = new FakeConnection();
    topic.attach(next.asRedis);
    await next.answers();
    expect(next.sent).toEqual(['subscribe sport']);
    expect(listener.confirmations).toBe(2);
  });

  it('does not mistake a late answer of an old connection for one of the new', async () => {
    topic.join(listener);
    topic.detach();
    topic.attach(new FakeConnection().asRedis);
    await connection.answers();
    expect(listener.confirmations).toBe(0);
  });

  it('says when the connection fails it, and tells the server nothing more on it', async () => {
    topic.join(listener);
    const lost = new Error('Connection is closed.');
    await connection.answers(lost);
    expect(troubled).toHaveBeenCalledWith(connection, lost);
    expect(listener.reason).toBeUndefined();
    topic.leave(listener);
    topic.join(listener);
    expect(connection.sent).toEqual(['subscribe sport']);
  });

  it('that is refused fails whoever wanted it first, and goes quiet', async () => {
    topic.join(listener);
    const refusal = new ServerSays('ERR no such luck');
    await connection.answers(refusal);
    expect(listener.reason).toBe(refusal);
    expect(troubled).not.toHaveBeenCalled();
    expect(quiet).toHaveBeenCalledTimes(1);
  });

  it('that is refused for a moment is tried on another connection for who had it, unless the permission is gone', async () => {
    listener.isEstablished = true;
    topic.join(listener);
    const refusal = new ServerSays('LOADING Redis is loading the dataset in memory');
    await connection.answers(refusal);
    expect(listener.reason).toBeUndefined();
    expect(troubled).toHaveBeenCalledWith(connection, refusal);
    const next = new FakeConnection();
    topic.attach(next.asRedis);
    await next.answers(new ServerSays('NOPERM this user has no permissions'));
    expect(listener.reason).toMatchObject({ message: expect.stringContaining('NOPERM') as unknown });
  });

  it('delivers to those who listen when the message comes', () => {
    const late = new FakeListener();
    listener.take = (_, message) => {
      listener.taken.push(message);
      topic.join(late);
    };
    topic.join(listener);
    topic.deliver('sport', 'goal');
    expect([listener.taken, late.taken]).toEqual([['goal'], []]);
  });
});
