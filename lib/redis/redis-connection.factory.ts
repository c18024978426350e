import type { Redis } from 'ioredis';
import { PoolError } from '../core/pool.errors.js';
import type { ResourceFactory } from '../core/resource-factory.js';
import { connect, disconnect } from './connection-life.js';
import { keepDiscreet } from './discretion.js';
import { HolderTraces } from './holder-traces.js';
import type { RedisConnection } from './redis-connection.js';
import { Trouble } from './trouble.js';

/** Opens and closes the connections that are lent. */
export class RedisConnectionFactory implements ResourceFactory<RedisConnection> {
  readonly #pool: string;
  readonly #makeClient: () => Redis;
  readonly #troubles = new WeakMap<RedisConnection, Trouble>();
  readonly #traces = new WeakMap<RedisConnection, HolderTraces>();
  /** Of the connection that was opened last, or is being opened. */
  #latest: Trouble | undefined;

  constructor(pool: string, makeClient: () => Redis) {
    this.#pool = pool;
    this.#makeClient = makeClient;
  }

  /** Why the latest connection could not be opened, or is not there yet. */
  get cause(): Error | undefined {
    return this.#latest?.cause;
  }

  async create(signal: AbortSignal): Promise<RedisConnection> {
    const client = this.#makeClient();
    const trouble = new Trouble(client);
    if (client.options.retryStrategy) throw await this.#reconnects(client);
    keepDiscreet(client);
    this.#troubles.set(client, trouble);
    this.#latest = trouble;
    await connect(client, trouble, signal);
    return client;
  }

  async #reconnects(client: Redis): Promise<PoolError> {
    await disconnect(client);
    const message =
      'createClient() must use the options that it is given: this client would reconnect behind its holder';
    return new PoolError('ERR_POOL_FACTORY', this.#pool, message);
  }

  /** Says no goodbye to the server: that would wait behind a command that blocks. */
  destroy(connection: RedisConnection): Promise<void> {
    return disconnect(connection);
  }

  async validate(connection: RedisConnection): Promise<boolean> {
    return connection.status === 'ready' && (await connection.ping()) === 'PONG';
  }

  reset(connection: RedisConnection): 'keep' | 'discard' {
    return this.#traces.get(connection)?.none === true ? 'keep' : 'discard';
  }

  watch(connection: RedisConnection, broken: (cause: unknown) => void): void {
    const lost = () =>
      broken(this.#troubles.get(connection)?.cause ?? new Error('the server closed the connection'));
    connection.stream.once('end', lost); // before ioredis notices, and refuses commands without saying why
    connection.once('close', lost);
    this.#traces.set(connection, new HolderTraces(connection));
    if (connection.status !== 'ready') lost();
  }
}
