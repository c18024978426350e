import { Redis, type RedisOptions } from 'ioredis';
import { startRedisServer, type RedisServer, type RedisServerOptions } from '../../scripts/redis-server.mjs';

/** Of a master or a replica, of a sentinel, of these tests, or of a node that moves a slot. */
const OURS = / flags=[MSO] | name=(orders|sentinel-\S*) | cmd=restore-asking /;

interface NodeOptions extends RedisServerOptions {
  /** How its orders reach it, where it is not open to everybody. */
  readonly access?: RedisOptions;
}

/** A server among several that work together, with a connection to give it orders by. It can die and come back where it was. */
export class RedisNode {
  #server: RedisServer;
  #orders: Redis;
  #isAlive = true;
  readonly #options: NodeOptions;

  private constructor(server: RedisServer, options: NodeOptions) {
    this.#server = server;
    this.#options = options;
    this.#orders = ordersFor(server, options);
  }

  static async start(options: NodeOptions): Promise<RedisNode> {
    return new RedisNode(await startRedisServer(options), options);
  }

  get host(): string {
    return this.#server.host;
  }

  get port(): number {
    return this.#server.port;
  }

  get address(): { host: string; port: number } {
    return { host: this.host, port: this.port };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Sends a command to this node and no other. */
  call<R>(command: string, ...args: (string | number)[]): Promise<R> {
    return this.#orders.call(command, ...args) as Promise<R>;
  }

  /** One field of INFO, or of CLUSTER INFO. */
  async info(section: string, field: string): Promise<string | undefined> {
    const text =
      section === 'cluster'
        ? await this.call<string>('CLUSTER', 'INFO')
        : await this.call<string>('INFO', section);
    return new RegExp(`^${field}:(.*?)\r?$`, 'm').exec(text)?.[1];
  }

  /** The lines of CLIENT LIST that are neither of the other nodes nor of the one who gives the orders. */
  async clients(): Promise<string[]> {
    const lines = (await this.call<string>('CLIENT', 'LIST')).trim().split('\n');
    return lines.filter((line) => !OURS.test(line));
  }

  /** As `kill -9` does it. */
  async kill(): Promise<void> {
    this.#isAlive = false;
    this.#orders.disconnect();
    this.#server.kill('SIGKILL');
    await this.#server.exited;
  }

  /** Comes back at its port, with nothing in it. */
  async restart(): Promise<void> {
    this.#server = await startRedisServer({ ...this.#options, port: this.port });
    this.#orders = ordersFor(this.#server, this.#options);
    this.#isAlive = true;
  }

  async stop(): Promise<void> {
    this.#orders.disconnect();
    await this.#server.stop();
  }
}

function ordersFor({ host, port }: RedisServer, { access }: NodeOptions): Redis {
  // A sentinel that changes the role of a server cuts off its clients, this one, too.
  const orders = new Redis({ ...access, host, port, connectionName: 'orders', retryStrategy: () => 10 });
  orders.on('error', () => undefined); // its commands tell
  return orders;
}
