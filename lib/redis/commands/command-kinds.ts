import { hasRule, kindOf, type CommandKind } from './command-rules.js';
import { blockingCommandsOf } from './server-flags.js';
import type { RedisConnection } from '../redis-connection.js';
import { within } from '../within.js';

/** A server that takes longer is not waited for. */
const ANSWER_WITHIN_MS = 1_000;

/** The kinds of commands on one server: what is known of every server, and what it says itself of its newer commands and its modules. */
export class CommandKinds {
  readonly #blocking = new Set<string>();
  #hasAsked = false;

  /** There is no need to ask the server. */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  /**
   * Asks the server which of its commands block, and learns it as soon as it answers; resolves then, or when it takes too long.
   * @throws what keeps it from answering; another connection may do better
   */
  async learnFrom(client: RedisConnection): Promise<void> {
    const tooLong = new Error('no answer to COMMAND in time');
    const learned = blockingCommandsOf(client).then((names) => this.learnBlocking(names));
    await within(learned, { ms: ANSWER_WITHIN_MS, late: () => tooLong }).catch((error: unknown) => {
      if (error !== tooLong) throw error;
    });
    this.#hasAsked = true;
  }

  /**
   * These block; subcommands are named as `container|subcommand`, and then all of the container counts. Those for which there are rules
   * stay what they are, for a server says as much of XREAD without BLOCK.
   */
  learnBlocking(names: Iterable<string>): void {
    for (const name of names) {
      const [command = ''] = name.toLowerCase().split('|');
      if (!hasRule(command)) this.#blocking.add(command);
    }
  }

  /** The server taught so; `name` in lower case. */
  isKnownToBlock(name: string): boolean {
    return this.#blocking.size > 0 && this.#blocking.has(name);
  }

  /** As {@link kindOf}. */
  of(name: string, args: readonly unknown[]): CommandKind {
    return this.isKnownToBlock(name.toLowerCase()) ? 'blocking' : kindOf(name, args);
  }
}
