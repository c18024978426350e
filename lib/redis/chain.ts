import { callbackify } from 'node:util';
import type { Command, Pipeline, Redis } from 'ioredis';
import { refusal } from './command-refusal.js';
import type { CommandRouter } from './command-router.js';
import { kindOf, titleOf } from './command-rules.js';

type ChainKind = 'pipeline' | 'multi';
type Exec = Pipeline['exec'];

/**
 * A `pipeline()` or `multi()` of ioredis that finds its connection when it is executed. Until then ioredis only collects the
 * commands, so the client that makes it need not be connected.
 */
export function looseChain(kind: ChainKind, maker: Redis, router: CommandRouter): Pipeline {
  const chain = maker[kind]() as Pipeline;
  const contents = new ChainContents(kind);
  const collect = chain.sendCommand.bind(chain);
  chain.sendCommand = (command) => {
    const collected = collect(command);
    contents.note(command);
    return collected;
  };

  const exec: Exec = chain.exec.bind(chain);
  const send = (connection: Redis) => {
    chain.redis = connection;
    return exec();
  };
  let outcome: ReturnType<Exec> | undefined;
  chain.exec = (...args) => {
    if (contents.isInTransaction) return exec(...args);
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
  send: (connection: Redis) => Promise<R>,
  router: CommandRouter,
): Promise<R> {
  if (contents.refused !== undefined) throw refusal(router.pool, contents.refused);
  if (chain.length === 0) return send(chain.redis as Redis);
  if (contents.blocks) return router.onItsOwn(send);
  const { ready } = router;
  return ready === undefined ? router.onAny(send) : send(ready);
}

/** What a chain holds so far, as far as it matters to where it can be sent. */
class ChainContents {
  /** A command that must not be sent on a connection that others use. */
  refused: string | undefined;
  /** Some command may keep those behind it waiting. Inside a transaction none does. */
  blocks = false;
  readonly #kind: ChainKind;
  #isInTransaction = false;

  constructor(kind: ChainKind) {
    this.#kind = kind;
  }

  /** A transaction was begun inside a pipeline: the next `exec()` ends that, and not the pipeline. */
  get isInTransaction(): boolean {
    return this.#isInTransaction;
  }

  /** ioredis marks the MULTI of `multi()` as inside the transaction and leaves the EXEC of `exec()` unmarked; by `call()` it does neither. */
  note({ name, args, inTransaction }: Command): void {
    const kind = kindOf(name, args);
    const begins = name === 'multi' && inTransaction && this.#kind === 'pipeline' && !this.#isInTransaction;
    const ends = name === 'exec' && !inTransaction && this.#isInTransaction;
    if (begins || ends) this.#isInTransaction = begins;
    else if (kind === 'stateful') this.refused ??= titleOf(name, args);
    else if (kind === 'blocking' && !inTransaction) this.blocks = true;
  }
}
