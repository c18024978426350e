import type { Redis } from 'ioredis';
import { PoolError } from '../../core/pool.errors.js';
import type { ResourceFactory } from '../../core/resource-factory.js';
import type { CommandKinds } from '../commands/command-kinds.js';
import { sendScriptsWhole } from '../commands/whole-scripts.js';
import { connect, disconnect, knock } from '../opening/connection-life.js';
import { leasedClient, mayReconnect, troubleOf } from '../client-kinds.js';
import { keepDiscreet } from '../opening/discretion.js';
import type { LeasedClientMeans } from './leased-client.js';
import type { LeasedConnection, Verdict } from './leased-connection.js';
import { eachNode, nodesOf } from '../nodes.js';
import { OtherConnections } from './other-connections.js';
import type { RedisConnection } from '../redis-connection.js';
import type { Trouble } from '../opening/trouble.js';
import { refuseMalformed, refuseMalformedChains } from '../commands/malformed.js';

/** How long ending a command that blocks may take, at most, and as a part of what closing a connection may take. */
const UNBLOCK = { longestMs: 1_000, partOfDestroying: 1 / 4 };

interface Means {
  /** Makes a client that is not connected yet. */
  readonly makeClient: () => RedisConnection;
  readonly kinds: CommandKinds;
  /** A connection that is open anyway and can take a command at once, if there is. */
  readonly ready: () => RedisConnection | undefined;
  readonly destroyTimeoutMs: number;
}

/** Opens and closes the connections that are lent. */
export class RedisConnectionFactory implements ResourceFactory<RedisConnection> {
  readonly #pool: string;
  readonly #makeClient: () => RedisConnection;
  readonly #means: Omit<LeasedClientMeans, 'cause'>;
  readonly #leased = new WeakMap<RedisConnection, LeasedConnection>();
  /** Of the connection that was opened last, or is being opened. */
  #latest: Pick<Trouble, 'exists' | 'cause'> | undefined;
  /** Why the one before could not be opened. */
  #lastFailure: Error | undefined;

  constructor(pool: string, { makeClient, kinds, ready, destroyTimeoutMs }: Means) {
    this.#pool = pool;
    this.#makeClient = makeClient;
    this.#means = {
      pool,
      blocks: ({ name, args }) => kinds.of(name, args) === 'blocking',
      others: new OtherConnections({
        ready: () => nodesOf(ready()).filter(({ status }) => status === 'ready'),
        make: (node) => this.#twinOf(node),
      }),
      unblockTimeoutMs: Math.min(UNBLOCK.longestMs, destroyTimeoutMs * UNBLOCK.partOfDestroying),
    };
  }

  /** Why the latest connection could not be opened, or is not there yet. */
  get cause(): Error | undefined {
    const isUnknown = this.#latest?.exists === false;
    return (isUnknown ? this.#lastFailure : undefined) ?? this.#latest?.cause;
  }

  async create(signal: AbortSignal): Promise<RedisConnection> {
    const client = sendScriptsWhole(this.#makeClient());
    const trouble = troubleOf(client);
    if (mayReconnect(client)) throw await this.#reconnects(client);
    eachNode(client, keepDiscreet);
    refuseMalformed(client, this.#pool);
    refuseMalformedChains(client, this.#pool);
    this.#latest = trouble;
    await connect(client, trouble, signal).finally(() => {
      this.#lastFailure = trouble.exists ? trouble.cause : undefined;
    });
    const cause = () => trouble.cause ?? new Error('the server closed the connection');
    this.#leased.set(client, leasedClient(client, { ...this.#means, cause }));
    return client;
  }

  /** A client is lent as a whole; what is not lent itself is a part of one. */
  #twinOf(node: Redis): Redis {
    return this.#leased.has(node) ? (this.#makeClient() as Redis) : node.duplicate();
  }

  async #reconnects(client: RedisConnection): Promise<PoolError> {
    await disconnect(client);
    const message =
      'createClient() must use the options that it is given: this client would reconnect behind its holder';
    return new PoolError('ERR_POOL_FACTORY', this.#pool, message);
  }

  watch(connection: RedisConnection, broken: (cause: unknown) => void): void {
    this.#of(connection).watch(broken);
  }

  async validate(connection: RedisConnection): Promise<boolean> {
    if (connection.status !== 'ready') return false;
    await knock(connection);
    return true;
  }

  interrupt(connection: RedisConnection, reason: unknown): Promise<void> | undefined {
    return this.#of(connection).interrupt(reason);
  }

  reset(connection: RedisConnection): Verdict | Promise<Verdict> {
    return this.#of(connection).tidy();
  }

  destroy(connection: RedisConnection): Promise<void> {
    return this.#of(connection).close();
  }

  #of(connection: RedisConnection): LeasedConnection {
    const leased = this.#leased.get(connection);
    if (leased === undefined) throw new TypeError('not a connection of this factory');
    return leased;
  }
}
