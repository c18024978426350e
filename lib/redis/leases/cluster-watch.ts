import { ReplyError, type Cluster, type Command, type Redis } from 'ioredis';
import { PoolError } from '../../core/pool.errors.js';

/** What ioredis knows of where a command goes; those of a pipeline share one. */
interface Route {
  slot: number | null;
  redis?: Redis | undefined;
}

/** How a node says that somebody else has a slot, or nobody. */
const REDIRECTION = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN) /;

/** These go where keys are watched, for they have none of their own. */
const OF_TRANSACTIONS: ReadonlySet<string> = new Set(['multi', 'exec', 'discard', 'unwatch']);

const UNWATCHING: ReadonlySet<string> = new Set(['exec', 'discard', 'unwatch']);

/**
 * Keeps a transaction on the node that watches its keys. ioredis would send a transaction that was redirected again, to another node,
 * where nothing is watched, and EXEC would succeed: an update of somebody else would be lost. So from the first WATCH on no pipeline is
 * redirected, until the connection comes back.
 */
export class ClusterWatch {
  readonly #pool: string;
  /** The node, and the WATCH that it was the first to be asked. */
  #at: { readonly node: Redis; readonly by: Command } | undefined;
  #hasWatched = false;

  constructor(client: Cluster, pool: string) {
    this.#pool = pool;
    const handle = client.handleError.bind(client);
    client.handleError = (error, ttl, handlers: { defaults: () => void }) => {
      // For a pipeline ioredis makes up an object that looks like the error all its commands met.
      const isOfPipeline = !(error instanceof Error);
      if (isOfPipeline && this.#hasWatched) handlers.defaults();
      else handle(error, ttl, handlers);
    };
  }

  /** Where a command of the holder is to go, if it is not where ioredis would send it. */
  routeOf(command: Command, route: object | undefined): object | undefined {
    if (this.#at === undefined || !OF_TRANSACTIONS.has(command.name.toLowerCase())) return route;
    const { node } = this.#at;
    if (route === undefined) return { slot: command.getSlot(), redis: node } satisfies Route;
    (route as Route).redis ??= node;
    return route;
  }

  /** Sees what is sent to a node. */
  observe(node: Redis): void {
    const send = node.sendCommand.bind(node);
    node.sendCommand = (command, stream) => {
      const name = command.name.toLowerCase();
      if (name === 'watch') {
        if (this.#at !== undefined && this.#at.node !== node) return this.#refuse(command);
        this.#at ??= this.#begin(node, command);
      } else if (node === this.#at?.node && UNWATCHING.has(name)) this.#at = undefined;
      return send(command, stream);
    };
  }

  /** A first WATCH may be redirected, for nothing is watched yet. */
  #begin(node: Redis, by: Command): { readonly node: Redis; readonly by: Command } {
    const { reject } = by;
    by.reject = (error) => {
      if (this.#at?.by === by) this.#at = undefined;
      reject(error);
    };
    this.#hasWatched = true;
    return { node, by };
  }

  /** For the next holder. */
  forget(): void {
    this.#at = undefined;
    this.#hasWatched = false;
  }

  #refuse(command: Command): Promise<unknown> {
    command.reject(
      new PoolError(
        'ERR_POOL_COMMAND_REFUSED',
        this.#pool,
        'WATCH is refused for a key on another node of the cluster than those that are watched already: a transaction is on one node',
      ),
    );
    return command.promise as Promise<unknown>;
  }
}

/** The server refused a transaction because its slot was moved, or is not served at the moment. Nothing was executed. */
export function isRedirected(error: unknown): boolean {
  if (!(error instanceof ReplyError)) return false;
  const { message, previousErrors = [] } = error as Error & { previousErrors?: Error[] };
  return REDIRECTION.test(message) || previousErrors.some((previous) => REDIRECTION.test(previous.message));
}
