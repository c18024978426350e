import { callbackify } from 'node:util';
import type { ChainableCommander, Command } from 'ioredis';
import { PoolError } from '../../core/pool.errors.js';
import { wordsOf } from '../../core/words-of.js';
import type { RedisConnection } from '../redis-connection.js';
import { titleOf } from './command-rules.js';

/** What ioredis keeps in a chain. */
interface ChainInside {
  readonly _queue: readonly Command[];
  /** How many transactions it has begun and not ended. */
  readonly _transactions: number;
}

/** With a stream, the command is one of a chain. */
type Send = (command: Command, stream?: unknown, node?: unknown) => unknown;

/**
 * Refuses commands with an argument that cannot be made a string, such as an object without a prototype (`querystring.parse()` gives
 * such), before anything is sent.
 *
 * ioredis notices it while it makes the command, rejects that where nobody hears it, and goes on. A command by itself fails when it is
 * written; a chain fails half way, and from then on the replies of its connection go to the wrong commands.
 */
export function refuseMalformed(client: RedisConnection, pool: string): void {
  const send = client.sendCommand.bind(client) as Send;
  const guarded: Send = (command, stream, node) =>
    stream === undefined && isMalformed(command)
      ? rejected(command, problemOf(command, pool))
      : send(command, stream, node);
  client.sendCommand = guarded as never;
}

/** As {@link refuseMalformed}, for the chains that are made by the client itself. */
export function refuseMalformedChains(client: RedisConnection, pool: string): void {
  for (const kind of ['pipeline', 'multi'] as const) {
    const make = client[kind].bind(client) as (...args: unknown[]) => unknown;
    client[kind] = ((...args: unknown[]) => {
      const made = make(...args);
      if (!(made instanceof Promise)) guard(made as ChainableCommander, kind, pool); // else of multi({ pipeline: false })
      return made;
    }) as never;
  }
}

function guard(chain: ChainableCommander, kind: 'pipeline' | 'multi', pool: string): void {
  const execute = chain.exec.bind(chain);
  chain.exec = (callback) => {
    const endsTransaction = kind === 'pipeline' && insideOf(chain)._transactions > 0; // and not the pipeline
    const problem = endsTransaction ? undefined : malformedIn(chain, pool);
    if (problem === undefined) return execute(callback);
    const refused = Promise.reject(problem);
    if (callback !== undefined) callbackify(() => refused)(callback);
    return refused;
  };
}

/** Why nothing of the chain can be sent. */
export function malformedIn(chain: ChainableCommander, pool: string): PoolError | undefined {
  const malformed = insideOf(chain)._queue.find(isMalformed);
  return malformed && problemOf(malformed, pool);
}

const insideOf = (chain: ChainableCommander): ChainInside => chain as unknown as ChainInside;

/** Rejects a command instead of sending it, whatever it is like. */
export function rejected(command: Command, error: Error): Promise<unknown> {
  if (!isMalformed(command)) {
    command.reject(error);
    return command.promise as Promise<unknown>;
  }
  const refused = Promise.reject(error);
  command.isSettled = true; // it has been rejected, which a callback hears, and nobody else
  (command.promise as Promise<unknown>).catch(() => undefined);
  if ((command as unknown as { callback?: unknown }).callback !== undefined) refused.catch(() => undefined);
  return refused;
}

/** What ioredis could not make a string of is still there, and so is what comes after it. */
const isMalformed = ({ args }: Command): boolean => !args.every(isText);

const isText = (arg: unknown): boolean => typeof arg === 'string' || arg instanceof Buffer;

function problemOf({ name, args }: Command, pool: string): PoolError {
  const at = args.findIndex((arg) => !isText(arg));
  return new PoolError(
    'ERR_POOL_COMMAND_REFUSED',
    pool,
    `${titleOf(name, [])} is refused, for its argument ${at + 1} cannot be made a string (${whyNot(args[at])}); give a string, a number or a Buffer`,
  );
}

function whyNot(arg: unknown): string {
  try {
    return `it is ${typeof arg} ${String(arg)}`;
  } catch (error) {
    return wordsOf(error);
  }
}
