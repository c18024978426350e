import type { Command } from 'ioredis';
import { kindOf } from '../commands/command-rules.js';
import { effectOf, isSilent, type Differences, type Line, type Origin } from './state-effects.js';

/** Applies the effect of a command whose reply was a success. */
type Apply = () => void;

/**
 * What those who held a connection have changed of it, as the server sees it: only what it has answered with success counts, and
 * inside a transaction only what the reply to EXEC confirms. So an undo that succeeds is seen to be one, by the same rules.
 */
export class ConnectionState {
  readonly #origin: Origin;
  readonly #differences: Differences = new Map();
  #isUnknown = false;
  /** Between MULTI and its end as they are sent, when any command may be queued by the server. */
  #isBetween = false;
  /** What the server has queued, while a transaction is open. */
  #queued: Apply[] | undefined;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /** The connection is as it was when it was opened. */
  get isOriginal(): boolean {
    return this.#differences.size === 0 && this.#queued === undefined && !this.#isUnknown;
  }

  /** Something was changed that nobody knows how to undo. */
  get isUnknown(): boolean {
    return this.#isUnknown;
  }

  /** The commands that bring the connection back, in the order in which they can be sent. */
  get undo(): Line[] {
    const lines = [...this.#differences.values()];
    return this.#queued === undefined ? lines : [['discard'], ...lines];
  }

  /** To be told of every command before it is sent. */
  note(command: Command): void {
    if (this.#isBetween || kindOf(command.name, command.args) === 'stateful') this.#follow(command);
  }

  giveUp(): void {
    this.#isUnknown = true;
  }

  /** Listens to the reply itself rather than to the promise, which a time-out may have settled before. */
  #follow(command: Command): void {
    const { args, resolve, reject } = command;
    const name = command.name.toLowerCase();
    this.#isBetween = name === 'multi' || (this.#isBetween && !ENDS.has(name));
    if (this.#isBetween) command.inTransaction = true; // ioredis itself notes it of chains alone
    if (isSilent(name, args)) this.giveUp();
    command.resolve = (reply) => {
      this.#succeeded(name, args, reply);
      return resolve(reply);
    };
    if (!ENDS.has(name)) return;
    command.reject = (error) => {
      this.#endFailed(error);
      reject(error);
    };
  }

  #succeeded(name: string, args: readonly unknown[], reply: unknown): void {
    if (name === 'multi') this.#queued = [];
    else if (ENDS.has(name)) this.#ended(reply);
    else if (this.#queued !== undefined && String(reply) === 'QUEUED')
      this.#queued.push(() => this.#apply(name, args));
    else this.#apply(name, args);
  }

  #apply(name: string, args: readonly unknown[]): void {
    if (kindOf(name, args) !== 'stateful') return;
    const effect = effectOf(name, args);
    if (effect === undefined) this.giveUp();
    else effect(this.#differences, args, this.#origin);
  }

  /** The transaction is over, and so is the watching of keys. Nothing happened unless the reply tells of each command. */
  #ended(reply?: unknown): void {
    const queued = this.#queued ?? [];
    this.#queued = undefined;
    this.#differences.delete('watch');
    if (!Array.isArray(reply)) return;
    if (reply.length !== queued.length) this.giveUp();
    queued.forEach((apply, at) => (reply[at] instanceof Error ? undefined : apply()));
  }

  #endFailed({ message }: Error): void {
    if (message.startsWith('EXECABORT')) this.#ended();
    else if (this.#queued !== undefined) this.giveUp();
  }
}

/** What ends a transaction. */
const ENDS: ReadonlySet<string> = new Set(['exec', 'discard']);
