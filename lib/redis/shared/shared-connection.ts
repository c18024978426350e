import { ReplyError, type Command, type Redis } from 'ioredis';
import type { Changes } from '../../core/changes.js';
import { PoolClosedError, PoolError, PoolUnavailableError } from '../../core/pool.errors.js';
import { AnswerWatch } from './answer-watch.js';
import { titleOf } from '../commands/command-rules.js';
import { refuseMalformed } from '../commands/malformed.js';
import { disconnect } from '../opening/connection-life.js';
import { leaveDemotedMaster } from './demoted-master.js';
import { keepDiscreet } from '../opening/discretion.js';
import { HeadOfLine, type Answers } from './head-of-line.js';
import { Trouble } from '../opening/trouble.js';
import { Unanswered } from './unanswered.js';
import type { RedisConnection } from '../redis-connection.js';
import { settles } from '../within.js';

/** What a shared connection needs to know of its pool. */
export interface SharedConnectionParts {
  readonly pool: string;
  /** Told when the connection is there, or lost, or nothing is left to wait for. */
  readonly changes: Changes;
  /** Those of all its shared connections. */
  readonly answers: Answers;
  /** How long the server may take to greet. */
  readonly greetingTimeoutMs: number;
  /** How long a command may take; 0 is no limit. */
  readonly commandTimeoutMs: number;
}

/** A client that all callers share, with one connection or, in a cluster, several. */
export interface SharedClient {
  readonly client: RedisConnection;
  readonly trouble: Pick<Trouble, 'exists' | 'cause'>;
  readonly headOfLine: Pick<HeadOfLine, 'look' | 'isOvertaken'>;
  readonly isReady: boolean;
  /** It was ready at least once. */
  readonly wasReady: boolean;
  readonly isFinishing: boolean;
  /** Commands that wait for their answer. */
  readonly load: number;
  /** Sends nothing new and lets what is in flight finish until the time is up. True when nothing is left. */
  finish(timeoutMs: number): Promise<boolean>;
  /** Closes the connection. What is in flight fails. True when the socket is gone in time. */
  close(timeoutMs: number): Promise<boolean>;
}

/** One connection that all callers share. ioredis keeps it connected; this watches over it, and lets it finish at the end. */
export class SharedConnection implements SharedClient {
  readonly client: Redis;
  readonly trouble: Trouble;
  readonly headOfLine: HeadOfLine;
  readonly #parts: SharedConnectionParts;
  readonly #unanswered: Unanswered;
  readonly #watch: AnswerWatch | undefined;
  #silence: NodeJS.Timeout | undefined;
  #finishing = false;
  #closing = false;
  #wasReady = false;

  constructor(client: Redis, parts: SharedConnectionParts) {
    this.client = client;
    this.trouble = new Trouble(client);
    this.#parts = parts;
    this.#unanswered = new Unanswered(client, (error, command) => this.#failure(error, command));
    this.headOfLine = new HeadOfLine(client, parts.answers);
    this.#watch = this.#watchAnswers();
    keepDiscreet(client);
    refuseMalformed(client, parts.pool);
    leaveDemotedMaster(client);
    client.on('connect', () => this.#expectGreeting());
    client.on('ready', () => this.#ready());
    client.on('close', () => this.#lost());
    client.once('end', () => this.#watch?.stop());
    client.connect().catch(() => undefined); // its events tell more
  }

  get isReady(): boolean {
    return this.client.status === 'ready' && !this.#finishing;
  }

  get wasReady(): boolean {
    return this.#wasReady;
  }

  get isFinishing(): boolean {
    return this.#finishing;
  }

  get load(): number {
    return this.client.commandQueue.length;
  }

  async finish(timeoutMs: number): Promise<boolean> {
    const { client } = this;
    const until = performance.now() + timeoutMs;
    const leftMs = () => Math.max(1, until - performance.now());
    this.#finishing = true;
    // While its socket is gone and has not said so, ioredis would take QUIT for answered.
    const isThere = () => client.status === 'ready' && client.stream.writable;
    const settled = () => isThere() || client.status === 'end' || this.#unanswered.isEmpty;
    const back = await this.#parts.changes.until(settled, timeoutMs);
    return back && (await this.#areAnswered(leftMs())) && this.#saysGoodbye(leftMs());
  }

  async close(timeoutMs: number): Promise<boolean> {
    this.#closing = true;
    return settles(disconnect(this.client), timeoutMs);
  }

  /** Goes by the promises: a script that the server does not know is sent again, and nothing may come after QUIT. */
  #areAnswered(ms: number): Promise<boolean> {
    return settles(Promise.allSettled([...this.#unanswered].map(({ promise }) => promise)), ms);
  }

  /** Redis answers in order: when it answers QUIT, it has answered what nobody waits for any more, too. */
  async #saysGoodbye(ms: number): Promise<boolean> {
    return this.client.status !== 'ready' || settles(this.client.quit(), ms);
  }

  /** ioredis waits for ever for a server that accepts a connection and then says nothing. */
  #expectGreeting(): void {
    const { stream } = this.client;
    const ms = this.#parts.greetingTimeoutMs;
    const error = () => new Error(`the server accepted the connection and did not answer within ${ms} ms`);
    const look = () => (this.trouble.isLoading ? this.#expectGreeting() : stream.destroy(error()));
    this.#silence = setTimeout(look, ms);
  }

  #ready(): void {
    clearTimeout(this.#silence);
    this.#wasReady = true;
    this.#parts.changes.tell();
  }

  #lost(): void {
    clearTimeout(this.#silence);
    this.#parts.changes.tell();
  }

  #watchAnswers(): AnswerWatch | undefined {
    const { client, trouble } = this;
    const { pool, commandTimeoutMs: timeoutMs, changes } = this.#parts;
    if (timeoutMs === 0) return undefined;
    const late = (commands: Command[]) => {
      const isSilent = client.status === 'ready' && watch.isSilent;
      const cause = trouble.cause ?? new Error(isSilent ? SILENT : BUSY);
      const what = ({ name, args }: Command) =>
        `${titleOf(name, args)} was not answered within ${timeoutMs} ms`;
      this.#unanswered.giveUp(commands, (command) => new PoolUnavailableError(pool, what(command), cause));
      if (isSilent) client.stream.destroy(new Error(SILENT));
      changes.tell();
    };
    const watch = new AnswerWatch({ client, unanswered: this.#unanswered, timeoutMs, late });
    return watch;
  }

  /** What the caller of a command hears when ioredis fails it. */
  #failure(error: Error, { name, args }: Command): Error {
    if (error instanceof ReplyError || error instanceof PoolError) return error;
    const { pool } = this.#parts;
    if (this.#closing) return new PoolClosedError(pool, 'closed');
    const cause = this.trouble.exists ? this.trouble.cause : withoutCommand(error);
    return new PoolUnavailableError(
      pool,
      `the connection was lost before ${titleOf(name, args)} was answered`,
      cause,
    );
  }
}

const SILENT = 'nothing came over the connection all that time, so it was closed';
const BUSY = 'the server is busy, or large replies come first';

/** ioredis hangs the command with its arguments on some errors. */
const withoutCommand = (error: Error): Error => ('command' in error ? new Error(error.message) : error);
