import { AsyncResource } from 'node:async_hooks';
import { Backoff } from '../../core/backoff.js';
import { breakageOf, mayLast, type Lease } from '../../core/lease.js';
import type { ResourcePool } from '../../core/resource-pool.js';
import type { RedisConnection } from '../redis-connection.js';
import type { TopicKind } from './topic.js';

/** Those who share the connection. */
export interface Tenants {
  /** There are some. */
  readonly areThere: boolean;
  connected(connection: RedisConnection): void;
  /** Another connection is on its way. */
  lost(cause: unknown): void;
  /** No connection could be had in time. It is tried again for as long as somebody is there. */
  unavailable(cause: unknown): void;
  heard(kind: TopicKind, topic: string, channel: string, message: string): void;
}

/** A connection that the tenants have, and how to leave it as it was. */
interface Home {
  readonly lease: Lease<RedisConnection>;
  readonly connection: RedisConnection;
  readonly clear: () => void;
}

/** How long the server has for its last answers when everything ends. */
const GOODBYE_MS = 1_000;

/** One leased connection for all: acquired when somebody needs it, replaced when it is lost, given back when nobody is left. */
export class SubscriberConnection {
  readonly #pool: ResourcePool<RedisConnection>;
  readonly #tenants: Tenants;
  readonly #beatMs: number;
  readonly #backoff = new Backoff(() => this.open());
  /** The connection must not keep the async context of whoever came first. */
  readonly #root = new AsyncResource('nestjs-pool');
  #acquiring: AbortController | undefined;
  #home: Home | undefined;
  #goodbye: NodeJS.Timeout | undefined;

  /** A server that has not answered one PING when the next is due, after `beatMs`, is taken for lost; 0 switches that off. */
  constructor(pool: ResourcePool<RedisConnection>, tenants: Tenants, beatMs: number) {
    this.#pool = pool;
    this.#tenants = tenants;
    this.#beatMs = beatMs;
  }

  get connection(): RedisConnection | undefined {
    return this.#home?.connection;
  }

  /** Acquires a connection, unless there is one or one is on its way. */
  open(): void {
    const isUnderWay = (this.#home ?? this.#acquiring) !== undefined || this.#backoff.resting;
    if (!isUnderWay && this.#tenants.areThere) void this.#root.runInAsyncScope(() => this.#acquire());
  }

  async #acquire(): Promise<void> {
    const acquiring = (this.#acquiring = new AbortController());
    try {
      const lease = await this.#pool.acquire({ signal: acquiring.signal, priority: 'high' });
      if (this.#acquiring === acquiring) this.#moveIn(lease);
      else void lease.release(); // closed in the same moment
    } catch (error) {
      if (this.#acquiring !== acquiring) return;
      this.#acquiring = undefined;
      this.#backoff.failed();
      this.#tenants.unavailable(error);
    }
  }

  /** @throws {LeaseBrokenError} the connection is lost already */
  #moveIn(lease: Lease<RedisConnection>): void {
    const connection = lease.resource;
    this.#acquiring = undefined;
    mayLast(lease);
    this.#home = { lease, connection, clear: this.#furnish(connection) };
    this.#tenants.connected(connection);
    const settledIn = () => this.#backoff.succeeded();
    connection.ping().then(settledIn, () => undefined); // answered behind what the tenants have sent
  }

  /** Returns what undoes it. */
  #furnish(connection: RedisConnection): () => void {
    const tenants = this.#tenants;
    const listeners = {
      message: (channel: string, text: string) => tenants.heard('subscribe', channel, channel, text),
      pmessage: (...[pattern, channel, text]: [string, string, string]) =>
        tenants.heard('psubscribe', pattern, channel, text),
      smessage: (channel: string, text: string) => tenants.heard('ssubscribe', channel, channel, text),
      end: () => this.abandon(connection, new Error('the connection ended')),
    };
    for (const [event, listener] of Object.entries(listeners)) connection.on(event, listener);
    const timer = this.#beatMs > 0 ? setInterval(this.#beat(connection), this.#beatMs).unref() : undefined;
    return () => {
      clearInterval(timer);
      for (const [event, listener] of Object.entries(listeners)) connection.off(event, listener);
    };
  }

  /** Subscribers send nothing, so that without this a connection that is dead and not closed would be trusted for ever. */
  #beat(connection: RedisConnection): () => void {
    let isAnswered = true;
    const answered = () => {
      isAnswered = true;
    };
    return () => {
      if (!isAnswered)
        return this.abandon(connection, new Error(`no answer to PING within ${this.#beatMs} ms`));
      isAnswered = false;
      connection.ping().then(answered, answered); // a refusal is an answer, too
    };
  }

  /** Gives the connection back, or stops waiting for one. */
  close(): void {
    this.#acquiring?.abort();
    this.#acquiring = undefined;
    void this.#moveOut()?.lease.release();
  }

  /** The connection is of no use any more. Nothing happens when it is not the present one. */
  abandon(connection: RedisConnection, cause: unknown): void {
    if (connection !== this.connection) return;
    const { lease } = this.#moveOut()!;
    const reason = breakageOf(lease)?.cause ?? cause;
    void lease.destroy('lost by its subscribers');
    this.#tenants.lost(reason);
    if (this.#tenants.areThere) this.#backoff.failed();
  }

  /** Everything ends: what the server has not answered in a moment, it need not answer any more. */
  hurry(): void {
    const { connection } = this;
    this.#backoff.stop();
    if (connection === undefined) return;
    const late = () => this.abandon(connection, new Error('it was not answered in time'));
    this.#goodbye ??= setTimeout(late, GOODBYE_MS).unref();
  }

  #moveOut(): Home | undefined {
    const home = this.#home;
    this.#home = undefined;
    clearTimeout(this.#goodbye);
    home?.clear();
    return home;
  }
}
