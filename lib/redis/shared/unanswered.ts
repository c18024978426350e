import type { Command, Redis } from 'ioredis';

type Queue = Redis['commandQueue'];

/** What ioredis keeps and its types leave out. */
interface Insides {
  readonly status: Redis['status'];
  /** Sent and not answered; while it connects, its own greeting. */
  readonly commandQueue: Queue;
  /** Sent over a connection that was lost, to be sent again. */
  readonly prevCommandQueue?: Queue | null;
  /** To be sent as soon as it can. */
  readonly offlineQueue: Queue;
  flushQueue(error: Error, options?: object): void;
}

/** ioredis has tried to connect so often that it sends nothing of what it kept. */
const OUT_OF_TRIES = 'MaxRetriesPerRequestError';

/** Makes of ioredis' error what the caller of a command is to hear. */
type Translate = (error: Error, command: Command) => Error;

/**
 * The commands of a client that are not answered yet, wherever ioredis keeps them: sent, to be sent again after a reconnect, or not sent
 * yet. A command that is rejected here keeps its place while its connection lives, so that a late reply still finds it, and no other.
 */
export class Unanswered {
  readonly #client: Insides;
  readonly #translate: Translate;
  readonly #translated = new WeakSet<Command>();

  constructor(client: Redis, translate: Translate) {
    this.#client = client as unknown as Insides;
    this.#translate = translate;
    const flush = this.#client.flushQueue.bind(client);
    this.#client.flushQueue = (error, options) => {
      this.#translateErrors();
      flush(error, options);
      // It overlooks what it is to send again as soon as another connection was accepted, and lost again.
      if (error.name === OUT_OF_TRIES) this.giveUp([...this], () => error);
    };
    client.on('connect', () => client.stream.prependOnceListener('close', () => this.#connectionLost()));
    client.once('end', () => this.#end(client));
  }

  get isEmpty(): boolean {
    return this.#queues.every((queue) => queue.length === 0);
  }

  *[Symbol.iterator](): Iterator<Command> {
    for (const queue of this.#queues) {
      for (let at = 0; at < queue.length; at += 1) yield commandOf(queue.peekAt(at)!);
    }
  }

  /** Rejects commands, all of a pipeline or none. What has not been sent, or would be sent again, never is. */
  giveUp(commands: readonly Command[], reason: (command: Command) => Error): void {
    for (const command of commands) command.reject(reason(command));
    if (this.#client.status !== 'ready') this.#forgetSettled();
  }

  /** Called before ioredis hears of it, which then fails pipelines that were answered in part, and keeps the rest to send it again. */
  #connectionLost(): void {
    this.#translateErrors();
    this.#forgetSettled();
  }

  /** ioredis forgets what it wanted to send again. */
  #end(client: Redis): void {
    const closed = (command: Command) => this.#translate(new Error('Connection is closed.'), command);
    this.giveUp([...this], closed);
    client.sendCommand = (command) => {
      command.reject(closed(command));
      return command.promise;
    };
  }

  /** The error of each command is translated when ioredis fails it. Nothing is paid for while all goes well. */
  #translateErrors(): void {
    for (const command of this) {
      if (this.#translated.has(command)) continue;
      this.#translated.add(command);
      const { reject } = command;
      command.reject = (error) => reject(this.#translate(error, command));
    }
  }

  /** Nobody waits for what is settled, so it must not be executed later. Only for queues to which no reply comes any more. */
  #forgetSettled(): void {
    for (const queue of this.#queues) {
      const items = queue.toArray();
      // A pipeline is one piece: ioredis writes it when all of it has been sent again.
      const torn = new Set(items.filter((item) => commandOf(item).isSettled).map(({ stream }) => stream));
      queue.clear();
      for (const item of items) {
        const command = commandOf(item);
        const isPiece = Boolean(item.stream) && torn.has(item.stream);
        if (isPiece && !command.isSettled) command.reject(new Error('the rest of the pipeline was given up'));
        else if (!command.isSettled) queue.push(item);
      }
    }
  }

  get #queues(): Queue[] {
    const { status, commandQueue, prevCommandQueue, offlineQueue } = this.#client;
    const sent = status === 'ready' ? commandQueue : prevCommandQueue;
    return sent ? [sent, offlineQueue] : [offlineQueue];
  }
}

const commandOf = (item: { command: unknown }): Command => item.command as Command;
