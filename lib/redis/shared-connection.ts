import type { Redis } from 'ioredis';
import type { Changes } from '../core/changes.js';
import { disconnect } from './connection-life.js';
import { keepDiscreet } from './discretion.js';
import { Trouble } from './trouble.js';
import { within } from './within.js';

/** One connection that all callers share. ioredis keeps it connected; this watches over it, and lets it finish at the end. */
export class SharedConnection {
  readonly client: Redis;
  readonly trouble: Trouble;
  readonly #changes: Changes;
  readonly #answerTimeoutMs: number;
  #silence: NodeJS.Timeout | undefined;
  #finishing = false;
  #wasReady = false;
  #isUp = false;
  /** The connection was lost with commands in flight, which ioredis sends again when it is back. */
  #owesAnswers = false;

  constructor(client: Redis, changes: Changes, answerTimeoutMs: number) {
    this.client = client;
    this.trouble = new Trouble(client);
    this.#changes = changes;
    this.#answerTimeoutMs = answerTimeoutMs;
    keepDiscreet(client);
    client.on('connect', () => this.#expectAnswer());
    client.on('ready', () => this.#ready());
    client.on('close', () => this.#lost());
    client.connect().catch(() => undefined); // its events tell more
  }

  get isReady(): boolean {
    return this.client.status === 'ready' && !this.#finishing;
  }

  /** It was ready at least once. */
  get wasReady(): boolean {
    return this.#wasReady;
  }

  get isFinishing(): boolean {
    return this.#finishing;
  }

  /** Commands that wait for their answer. */
  get load(): number {
    return this.client.commandQueue.length;
  }

  /** Sends nothing new and lets what is in flight finish until the time is up. True when nothing is left. */
  async finish(timeoutMs: number): Promise<boolean> {
    const { client } = this;
    const startedAt = performance.now();
    this.#finishing = true;
    const back = await this.#changes.until(() => !this.#owesAnswers || client.status === 'end', timeoutMs);
    const leftMs = Math.max(1, timeoutMs - (performance.now() - startedAt));
    return back && this.#allAnswered(leftMs);
  }

  /** Closes the connection. What is in flight fails. True when the socket is gone in time. */
  async close(timeoutMs: number): Promise<boolean> {
    return settles(disconnect(this.client), timeoutMs);
  }

  /** Redis answers in order: when it answers QUIT, it has answered everything before. */
  async #allAnswered(ms: number): Promise<boolean> {
    return this.client.status !== 'ready' || settles(this.client.quit(), ms);
  }

  /** ioredis waits for ever for a server that accepts a connection and then says nothing. */
  #expectAnswer(): void {
    const { stream } = this.client;
    const ms = this.#answerTimeoutMs;
    const error = () => new Error(`the server accepted the connection and did not answer within ${ms} ms`);
    this.#silence = setTimeout(() => stream.destroy(error()), ms);
  }

  #ready(): void {
    clearTimeout(this.#silence);
    this.#wasReady = this.#isUp = true;
    this.#owesAnswers = false;
    this.#changes.tell();
  }

  #lost(): void {
    clearTimeout(this.#silence);
    // What is in the queue of a connection that was not ready yet is ioredis' own greeting.
    this.#owesAnswers ||= this.#isUp && this.load > 0;
    this.#isUp = false;
    this.#changes.tell();
  }
}

/** Whether `work` succeeds in time. */
const settles = (work: Promise<unknown>, ms: number): Promise<boolean> =>
  within(work, { ms, late: () => new Error('too late') }).then(
    () => true,
    () => false,
  );
