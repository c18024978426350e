import { callbackify } from 'node:util';
import type { Command, Pipeline } from 'ioredis';
import { blockTimeOf } from './block-time.js';
import { refusal } from './command-refusal.js';
import type { CommandKinds } from './command-kinds.js';
import type { CommandRouter } from './command-router.js';
import { titleOf } from './command-rules.js';
import type { RedisConnection } from '../redis-connection.js';

type ChainKind = 'pipeline' | 'multi';
type Exec = Pipeline['exec'];

/**
 * A `pipeline()` or `multi()` of ioredis that finds its connection when it is executed. Until then ioredis only collects the
 * commands, so the client that makes it need not be connected.
 */
export function looseChain(kind: ChainKind, maker: RedisConnection, router: CommandRouter): Pipeline {
  const chain = maker[kind]() as Pipeline;
  const contents = new ChainContents(kind, router.kinds);
  const collect = chain.sendCommand.bind(chain);
  chain.sendCommand = (command) => {
    const collected = collect(command);
    contents.note(command);
    return collected;
  };

  const exec: Exec = chain.exec.bind(chain);
  let isUnderWay = false;
  const send = (connection: RedisConnection) => {
    isUnderWay = true;
    chain.redis = connection;
    return exec().finally(() => {
      isUnderWay = false;
    });
  };
  let outcome: ReturnType<Exec> | undefined;
  chain.exec = (...args) => {
    // In a cluster ioredis executes what was answered with a redirection again.
    const isRedirected = isUnderWay && isAnswered(chain);
    if (contents.isInTransaction || isRedirected) return exec(...args);
    const [callback] = args;
    const executed = (outcome ??= execute(chain, contents, send, router));
    if (callback !== undefined) callbackify(() => executed)(callback);
    return executed;
  };
  return chain;
}

async function execute<R>(
  chain: Pipeline,
  contents: ChainContents,
  send: (connection: RedisConnection) => Promise<R>,
  router: CommandRouter,
): Promise<R> {
  if (contents.refused !== undefined) throw refusal(router.pool, contents.refused);
  if (chain.length === 0) return [] as R;
  if (contents.blocks) return router.onItsOwn(send, contents.blockMs);
  const { ready } = router;
  return ready === undefined ? router.onAny(send, () => contents.blocks) : send(ready);
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
