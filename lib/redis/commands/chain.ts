import { callbackify } from 'node:util';
import type { Command, Pipeline } from 'ioredis';
import { blockTimeOf } from './block-time.js';
import { emptyPipeline } from './chain-mould.js';
import { refusal } from './command-refusal.js';
import type { CommandKinds } from './command-kinds.js';
import type { CommandRouter } from './command-router.js';
import { titleOf } from './command-rules.js';
import { malformedIn } from './malformed.js';
import type { RedisConnection } from '../redis-connection.js';

type ChainKind = 'pipeline' | 'multi';
type Exec = Pipeline['exec'];
type LooseChain = Pipeline & { [COURSE]: Course };

const COURSE = Symbol('course');

/**
 * A `pipeline()` or `multi()` of ioredis that finds its connection when it is executed. Until then ioredis only collects the
 * commands, so the client that makes it need not be connected.
 *
 * Its methods are the same functions for all chains: with closures of its own on each, a pipeline costs twice as much.
 */
export function looseChain(kind: ChainKind, maker: RedisConnection, router: CommandRouter): Pipeline {
  const made = kind === 'pipeline' ? emptyPipeline(maker) : maker.multi();
  const chain = made as LooseChain;
  chain[COURSE] = new Course(chain, kind, router);
  chain.sendCommand = collect;
  chain.exec = execute;
  return chain;
}

function collect(this: LooseChain, command: Command): unknown {
  return this[COURSE].collect(command);
}

function execute(this: LooseChain, ...args: Parameters<Exec>): ReturnType<Exec> {
  return this[COURSE].execute(...args);
}

/** Of one chain, from its first command to the replies. */
class Course {
  readonly #chain: Pipeline;
  readonly #collect: Pipeline['sendCommand'];
  readonly #exec: Exec;
  readonly #contents: ChainContents;
  readonly #router: CommandRouter;
  #isUnderWay = false;
  #outcome: ReturnType<Exec> | undefined;

  constructor(chain: Pipeline, kind: ChainKind, router: CommandRouter) {
    this.#chain = chain;
    this.#collect = chain.sendCommand.bind(chain);
    this.#exec = chain.exec.bind(chain);
    this.#contents = new ChainContents(kind, router.kinds);
    this.#router = router;
  }

  collect(command: Command): unknown {
    const collected = this.#collect(command);
    this.#contents.note(command);
    return collected;
  }

  execute(...args: Parameters<Exec>): ReturnType<Exec> {
    // In a cluster ioredis executes what was answered with a redirection again.
    const isRedirected = this.#isUnderWay && isAnswered(this.#chain);
    if (this.#contents.isInTransaction || isRedirected) return this.#exec(...args);
    const [callback] = args;
    const executed = (this.#outcome ??= this.#route());
    if (callback !== undefined) callbackify(() => executed)(callback);
    return executed;
  }

  async #route(): ReturnType<Exec> {
    const contents = this.#contents;
    const router = this.#router;
    if (contents.refused !== undefined) throw refusal(router.pool, contents.refused);
    const problem = malformedIn(this.#chain, router.pool);
    if (problem !== undefined) throw problem;
    if (this.#chain.length === 0) return [];
    const send = (connection: RedisConnection) => this.#send(connection);
    if (contents.blocks) return router.onItsOwn(send, contents.blockMs);
    const { ready } = router;
    return ready === undefined ? router.onAny(send, () => contents.blocks) : send(ready);
  }

  #send(connection: RedisConnection): ReturnType<Exec> {
    this.#isUnderWay = true;
    this.#chain.redis = connection;
    return this.#exec().finally(() => {
      this.#isUnderWay = false;
    });
  }
}

const isAnswered = (chain: Pipeline): boolean =>
  (chain as unknown as { replyPending: number }).replyPending === 0;

/** What a chain holds so far, as far as it matters to where it can be sent. */
class ChainContents {
  /** A command that must not be sent on a connection that others use. */
  refused: string | undefined;
  /** For how long those that are known to block do so at most, one after the other. */
  blockMs = 0;
  readonly #kind: ChainKind;
  readonly #kinds: CommandKinds;
  #hasBlocking = false;
  /** Were collected before the server could tell of its own commands. */
  readonly #unsure: string[] = [];
  #isInTransaction = false;

  constructor(kind: ChainKind, kinds: CommandKinds) {
    this.#kind = kind;
    this.#kinds = kinds;
  }

  /** Some command may keep those behind it waiting. Inside a transaction none does. */
  get blocks(): boolean {
    return this.#hasBlocking || this.#unsure.some((name) => this.#kinds.isKnownToBlock(name));
  }

  /** A transaction was begun inside a pipeline: the next `exec()` ends that, and not the pipeline. */
  get isInTransaction(): boolean {
    return this.#isInTransaction;
  }

  /** ioredis marks the MULTI of `multi()` as inside the transaction and leaves the EXEC of `exec()` unmarked; by `call()` it does neither. */
  note({ name, args, inTransaction }: Command): void {
    const kind = this.#kinds.of(name, args);
    const begins = name === 'multi' && inTransaction && this.#kind === 'pipeline' && !this.#isInTransaction;
    const ends = name === 'exec' && !inTransaction && this.#isInTransaction;
    if (begins || ends) this.#isInTransaction = begins;
    else if (kind === 'stateful') this.refused ??= titleOf(name, args);
    else if (kind === 'blocking' && !inTransaction) this.#noteBlocking(name, args);
    else if (!inTransaction && !this.#kinds.hasAsked) this.#unsure.push(name.toLowerCase());
  }

  #noteBlocking(name: string, args: readonly unknown[]): void {
    this.#hasBlocking = true;
    this.blockMs += blockTimeOf(name, args);
  }
}
