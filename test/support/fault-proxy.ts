import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach } from '@jest/globals';
import { ProxiedConnection, type Direction, type Faults } from './fault-proxy.connection.js';

const HOST = '127.0.0.1';

/**
 * A TCP proxy that can be told to fail. Its faults concern every connection: `delay` and `stall` those to come as well, until they are
 * ended; the others those that exist. For one connection alone, see `connections`.
 */
export class FaultProxy implements Faults {
  readonly #target: { readonly port: number };
  readonly #connections = new Set<ProxiedConnection>();
  /** What has been ordered for connections to come, in order. */
  readonly #orders: ((connection: ProxiedConnection) => void)[] = [];
  #listener: Server | undefined;
  #port = 0;
  #acceptAfterMs = 0;

  /** @param target the server behind it, on this machine; asked for its port at each connection */
  constructor(target: { readonly port: number }) {
    this.#target = target;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `redis://${HOST}:${this.#port}`;
  }

  /** Those of which a socket is open at either side, the oldest first. */
  get connections(): readonly ProxiedConnection[] {
    for (const connection of this.#connections) if (!connection.isOpen) this.#connections.delete(connection);
    return [...this.#connections];
  }

  /** Listens at a free port. */
  async start(): Promise<void> {
    this.#port = 0;
    await this.accept();
  }

  /** Closes everything; it may be started again. */
  stop(): void {
    this.refuse();
    for (const connection of this.connections) connection.reset();
    this.#forgetOrders();
  }

  /** Connections are refused, as when nobody listens. Those that exist go on. */
  refuse(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Listens again, at the same port. */
  async accept(): Promise<void> {
    if (this.#listener !== undefined) return;
    this.#listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
      const connection = new ProxiedConnection(client, this.#target.port, this.#acceptAfterMs);
      for (const order of this.#orders) order(connection);
      this.#connections.add(connection);
    });
    await once(this.#listener.listen(this.#port, HOST), 'listening');
    this.#port = (this.#listener.address() as AddressInfo).port;
  }

  /** New connections are accepted, and connected to the server only after so many milliseconds; 0 ends that. */
  slowAccept(ms: number): void {
    this.#acceptAfterMs = ms;
  }

  delay(ms: number, direction?: Direction): void {
    this.#order((connection) => connection.delay(ms, direction));
  }

  stall(direction?: Direction): void {
    this.#order((connection) => connection.stall(direction));
  }

  resume(direction?: Direction): void {
    this.#order((connection) => connection.resume(direction));
  }

  cut(): void {
    for (const connection of this.connections) connection.cut();
  }

  reset(): void {
    for (const connection of this.connections) connection.reset();
  }

  halfOpen(): void {
    for (const connection of this.connections) connection.halfOpen();
  }

  partialReply(options: { bytes: number }): void {
    for (const connection of this.connections) connection.partialReply(options);
  }

  /** Ends every fault. */
  async heal(): Promise<void> {
    this.#forgetOrders();
    for (const connection of this.connections) connection.heal();
    await this.accept();
  }

  #order(order: (connection: ProxiedConnection) => void): void {
    this.#orders.push(order);
    for (const connection of this.connections) order(connection);
  }

  #forgetOrders(): void {
    this.#orders.length = 0;
    this.#acceptAfterMs = 0;
  }
}

/**
 * Gives each test of a file, or of a `describe` block, a proxy of its own in front of a server.
 *
 * @example
 * const proxy = useFaultProxy(useRedisServer());
 * it('is cut off', async () => {
 *   const redis = new Redis(proxy.url);
 *   await redis.ping();
 *   proxy.cut();
 * });
 */
export function useFaultProxy(target: { readonly port: number }): FaultProxy {
  const proxy = new FaultProxy(target);
  beforeEach(() => proxy.start());
  afterEach(() => proxy.stop());
  return proxy;
}
