import { Command, type Redis } from 'ioredis';
import { LeaseBrokenError, LeaseReleasedError } from '../../core/pool.errors.js';
import { AddedListeners } from './added-listeners.js';
import { blockedCommands, unblock } from './blocked-commands.js';
import { disconnect } from '../opening/connection-life.js';
import { ConnectionState } from './connection-state.js';
import type { LeasedConnection, Verdict } from './leased-connection.js';
import type { OtherConnections } from './other-connections.js';
import type { Line } from './state-effects.js';
import { within } from '../within.js';
import { rejected } from '../commands/malformed.js';

/** How long a connection that comes back may take to answer what it owes and to become what it was; otherwise it is closed. */
const TIDY_MS = 500;

/** What a leased client needs beside its connection. */
export interface LeasedClientMeans {
  readonly pool: string;
  /** Whether a command may keep those behind it waiting for as long as it likes. */
  readonly blocks: (command: Command) => boolean;
  readonly others: OtherConnections;
  readonly unblockTimeoutMs: number;
  /** Why the connection was lost. */
  readonly cause: () => Error;
}

/**
 * A client with one socket, in the hands of one holder after the other. It sees everything that is sent and answered, so it knows what
 * has to be undone between two of them, and what to tell them when the socket is lost or taken away.
 */
export class LeasedClient implements LeasedConnection {
  readonly #client: Redis;
  readonly #means: LeasedClientMeans;
  readonly #state: ConnectionState;
  readonly #listeners: AddedListeners;
  readonly #db: number;
  readonly #isResp2: boolean;
  /** What the server calls this connection: for what can only be said to it from another one. */
  readonly #identity = new Command('client', ['id']);
  /** As commands are sent while nothing is refused. */
  #send!: Redis['sendCommand'];
  #isLost = false;
  #noticeLoss: () => void = () => this.#refuse('the connection was lost while it was leased');
  #interruption: Promise<void> | undefined;
  /** It was tried, and there was no way. */
  #cannotInterrupt = false;

  /** For a client that is ready and was not used yet. */
  constructor(client: Redis, means: LeasedClientMeans) {
    const { db, connectionName, readOnly } = client.options;
    this.#client = client;
    this.#means = means;
    this.#db = db ?? 0;
    this.#state = new ConnectionState({
      db: this.#db,
      name: connectionName ?? '',
      readOnly: readOnly === true,
    });
    this.#isResp2 = client.condition?.protocol === 2;
    this.#identity.promise.catch(() => undefined); // it would not say
    client.sendCommand(this.#identity);
    this.#listen();
    this.#listeners = new AddedListeners(client);
  }

  #listen(): void {
    const client = this.#client;
    const send = client.sendCommand.bind(client);
    this.#send = client.sendCommand = (command, stream) => {
      if (!client.stream.writable) return this.#refuseLate(command);
      this.#state.note(command);
      return send(command, stream);
    };
    const sort = client.handleReconnection.bind(client);
    client.handleReconnection = (error, item) => {
      if (error.message.startsWith('READONLY ')) this.#state.giveUp(); // its server is no master any more
      sort(error, item);
    };
    client.on('error', () => this.#state.giveUp()); // such as a reply that nobody asked for
  }

  /** Calls `broken` as soon as the connection is lost, after what waited for replies was rejected. */
  watch(broken: (cause: unknown) => void): void {
    const client = this.#client;
    const lost = () => this.#lost(this.#means.cause(), broken);
    this.#noticeLoss = lost;
    // Before ioredis notices, which rejects and refuses commands without saying why.
    client.stream.prependOnceListener('end', lost);
    client.stream.prependOnceListener('close', lost);
    const recover = client.recoverFromFatalError.bind(client);
    client.recoverFromFatalError = (commandError, error, options) => {
      this.#lost(error, broken);
      recover(commandError, error, options);
    };
    if (client.status !== 'ready') lost();
  }

  #lost(cause: Error, broken: (cause: unknown) => void): void {
    if (this.#isLost) return;
    this.#isLost = true;
    const what = 'the connection was lost while it was leased';
    this.#refuse(what, cause);
    for (const { command } of this.#client.commandQueue.toArray()) command.reject(this.#broken(what, cause));
    broken(cause);
  }

  /** The socket is destroyed, and is about to tell so. */
  #refuseLate(command: Command): Promise<unknown> {
    this.#noticeLoss();
    return this.#client.sendCommand(command) as Promise<unknown>;
  }

  #refuse(what: string, cause?: Error): void {
    this.#client.sendCommand = (command) => rejected(command, this.#broken(what, cause));
  }

  #broken(what: string, cause?: Error): LeaseBrokenError {
    return new LeaseBrokenError(this.#means.pool, what, cause);
  }

  /** Makes the connection what it was for the next holder. Answers at once, and sends nothing, when it is that already. */
  tidy(): Verdict | Promise<Verdict> {
    if (!this.#isLost) this.#client.sendCommand = this.#send;
    if (!this.#client.stream.writable || !this.#listeners.remove() || this.#state.isUnknown) return 'discard';
    if (this.#owesReplies || this.#interruption !== undefined || !this.#state.isOriginal)
      return this.#tidyUp();
    this.#restoreBookkeeping();
    return 'keep';
  }

  get #owesReplies(): boolean {
    return this.#client.commandQueue.length > (this.#identity.isSettled ? 0 : 1);
  }

  async #tidyUp(): Promise<Verdict> {
    await this.#interruption;
    await this.#unblock(new LeaseReleasedError(this.#means.pool));
    const late = () => new Error('the connection does not answer');
    await within(this.#undo(), { ms: TIDY_MS, late }).catch(() => this.#state.giveUp());
    const isClean = this.#state.isOriginal && !this.#owesReplies && !this.#client.condition?.subscriber;
    if (isClean) this.#restoreBookkeeping();
    return isClean ? 'keep' : 'discard';
  }

  /** Only after the last reply is it known what there is to be undone. That the undo succeeded is seen as any change is. */
  async #undo(): Promise<void> {
    if (this.#owesReplies) await this.#sendAll([['ping']]);
    const { undo } = this.#state;
    // ioredis loses count of what is subscribed when shard channels are, and needs that to tell messages from replies.
    if (this.#isResp2 && undo.some(([name]) => name === 'sunsubscribe')) this.#state.giveUp();
    // ... and sends nothing else before the last subscription has ended.
    const first = undo.filter(([name]) => this.#isResp2 && name.endsWith('unsubscribe'));
    await this.#sendAll(first);
    await this.#sendAll(undo.filter((line) => !first.includes(line)));
  }

  /** In one write. Not as the methods of ioredis do: these would put the holder's key prefix before names of channels again. */
  async #sendAll(lines: readonly Line[]): Promise<void> {
    const { stream } = this.#client;
    stream.cork();
    const sent = lines.map(([name, ...args]) => this.#client.sendCommand(new Command(name, args)));
    stream.uncork();
    await Promise.all(sent);
  }

  /** ioredis notes a SELECT when it is sent, whatever becomes of it. */
  #restoreBookkeeping(): void {
    const { condition } = this.#client;
    if (condition) condition.select = this.#db;
  }

  /**
   * Ends the commands that block, and rejects them with `reason` unless they had succeeded already; so are those that come after them,
   * until the connection is given back. Resolves when nothing blocks any more, or it cannot be helped in time. Nothing when nothing
   * blocks.
   */
  interrupt(reason: unknown): Promise<void> | undefined {
    if (this.#isLost) return undefined;
    this.#client.sendCommand = (command, stream) => {
      if (command.inTransaction || !this.#means.blocks(command)) return this.#send(command, stream);
      stream?.write(''); // a pipeline is sent when so many have been written
      return rejected(command, reason as Error);
    };
    return this.#unblock(reason);
  }

  #unblock(reason: unknown): Promise<void> | undefined {
    if (this.#isLost || this.#cannotInterrupt || !this.#isBlocked) return this.#interruption;
    this.#interruption ??= this.#endBlocking(reason).finally(() => {
      this.#interruption = undefined;
    });
    return this.#interruption;
  }

  get #isBlocked(): boolean {
    return blockedCommands(this.#client, this.#means.blocks).length > 0;
  }

  async #endBlocking(reason: unknown): Promise<void> {
    const { others, unblockTimeoutMs: timeoutMs } = this.#means;
    const messenger = others.for(this.#client);
    const id = this.#identity.promise; // asked before anything else, so it is answered before anything blocks
    await unblock(this.#client, { id, blocks: this.#means.blocks, messenger, reason, timeoutMs });
    // A word that is still under way would end whatever blocks this connection next.
    const isSettled = messenger.done();
    this.#cannotInterrupt = !isSettled || this.#isBlocked;
    if (this.#cannotInterrupt) this.#state.giveUp();
  }

  /**
   * Ends what blocks and closes the connection. What else is in flight may be answered until the socket is gone. Says no goodbye to
   * the server: that would wait for its answer.
   */
  async close(): Promise<void> {
    const what = 'the connection was closed while it was leased';
    if (!this.#isLost) this.#refuse(what);
    await this.#unblock(this.#broken(what));
    await disconnect(this.#client);
  }
}
