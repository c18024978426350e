import { callbackify } from 'node:util';
import type { ChainableCommander, RedisCommander } from 'ioredis';
import { blockTimeOf } from './block-time.js';
import { looseChain } from './chain.js';
import { refusal } from './command-refusal.js';
import type { CommandRouter } from './command-router.js';
import { fixedKindOf, titleOf } from './command-rules.js';
import type { RedisConnection } from '../redis-connection.js';

/**
 * Every command of ioredis, typed as ioredis types them, on whatever connection suits it: ordinary commands share one with other
 * callers; one that blocks (`BLPOP`, `XREAD … BLOCK`, …) gets one to itself for as long as it blocks. Commands that would change the
 * connection (`SELECT`, `WATCH`, `SUBSCRIBE`, …) are refused: they belong in `pool.use()`.
 *
 * Nothing is thrown synchronously. What the server says against a command comes as ioredis' `ReplyError`; everything else as an error of
 * the pool. A command that finds no connection in time is rejected with what `pool.acquire()` would throw, one that is not answered
 * within `commandTimeoutMs` or is lost with its connection with a `PoolUnavailableError`, one that is in flight when a drain's time is up
 * with a `PoolClosedError`, and one that is refused, also because an argument cannot be made a string, with a `PoolError` whose code is
 * `ERR_POOL_COMMAND_REFUSED`.
 *
 * @publicApi
 * @example
 * await pool.commands.set('greeting', 'hello', 'EX', 60);
 * const replies = await pool.commands.multi().get('greeting').del('greeting').exec();
 */
export interface RedisCommands extends RedisCommander {
  /** Collects commands; `exec()` sends them together, on one connection. */
  pipeline(commands?: unknown[][]): ChainableCommander;
  /** As `pipeline()`, and executed as one transaction. */
  multi(commands?: unknown[][]): ChainableCommander;
}

type Args = unknown[];
type Method = (...args: Args) => unknown;

/**
 * Makes the commands of a pool, once; they need no `this`.
 * `maker` is a client that is never connected; it knows the scripts, and pipelines are collected by it.
 */
export function redisCommands(router: CommandRouter, maker: RedisConnection): RedisCommands {
  const names = [...maker.getBuiltinCommands(), ...Object.keys(maker.scriptsSet)];
  const methods: Record<string, Method> = {};
  for (const name of names) {
    methods[name] = methodFor(router, name, name);
    methods[`${name}Buffer`] = methodFor(router, name, `${name}Buffer`);
  }
  for (const method of ['call', 'callBuffer']) {
    methods[method] = (command, ...args) => {
      const name = String(command); // what is judged is what is sent
      return judged(router, name, args, { method, args: [name, ...args] });
    };
  }
  methods.pipeline = (commands) => filled(looseChain('pipeline', maker, router), commands);
  methods.multi = (commands) =>
    isWithoutPipeline(commands)
      ? Promise.reject(refusal(router.pool, 'MULTI'))
      : filled(looseChain('multi', maker, router), commands);
  // As a prototype, the many methods are found as fast as those of a class.
  return Object.create(methods) as RedisCommands;
}

interface Call {
  readonly method: string;
  readonly args: Args;
}

function methodFor(router: CommandRouter, name: string, method: string): Method {
  const isSpecial = fixedKindOf(name) !== 'ordinary';
  return (...args) => {
    if (isSpecial || router.kinds.isKnownToBlock(name)) return judged(router, name, args, { method, args });
    const connection = router.ready;
    return connection === undefined
      ? sentLater(router, name, { method, args })
      : invoke(connection, method, args);
  };
}

/** Does what suits a command whose kind is special, or depends on its arguments. */
function judged(router: CommandRouter, name: string, args: Args, call: Call): unknown {
  const words = args.flat().filter((arg) => typeof arg !== 'function'); // a callback comes last
  const kind = router.kinds.of(name, words);
  if (kind === 'ordinary') {
    const connection = router.ready;
    return connection === undefined
      ? sentLater(router, name, call)
      : invoke(connection, call.method, call.args);
  }
  return withCallback(call.args, (rest) =>
    kind === 'stateful'
      ? Promise.reject(refusal(router.pool, titleOf(name, words)))
      : router.onItsOwn((connection) => invoke(connection, call.method, rest), blockTimeOf(name, words)),
  );
}

function sentLater(router: CommandRouter, name: string, { method, args }: Call): Promise<unknown> {
  const blocks = () => router.kinds.isKnownToBlock(name.toLowerCase());
  return withCallback(args, (rest) => router.onAny((connection) => invoke(connection, method, rest), blocks));
}

/** Every command of ioredis can be given a callback at the end, which must hear of what happens before ioredis sees the command, too. */
function withCallback(args: Args, run: (args: Args) => Promise<unknown>): Promise<unknown> {
  const callback = args.at(-1);
  if (typeof callback !== 'function') return run(args);
  const outcome = run(args.slice(0, -1));
  callbackify(() => outcome)(callback as (error: Error | null, reply: unknown) => void);
  return outcome;
}

function invoke(connection: RedisConnection, method: string, args: Args): Promise<unknown> {
  return (connection as unknown as Record<string, (...args: Args) => Promise<unknown>>)[method]!(...args);
}

function filled(chain: ReturnType<typeof looseChain>, commands: unknown): unknown {
  return Array.isArray(commands) ? chain.addBatch(commands) : chain;
}

const isWithoutPipeline = (options: unknown): boolean =>
  typeof options === 'object' && options !== null && 'pipeline' in options && options.pipeline === false;
