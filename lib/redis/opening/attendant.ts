import { Cluster, type Redis, type RedisOptions } from 'ioredis';
import { eachQuestion, eachSubscriber } from '../nodes.js';
import { attend, attendCluster, type Attendance } from './attendance.js';
import type { CredentialsSource } from './credentials.js';
import { keepDiscreet } from './discretion.js';
import { Rotation } from './rotation.js';
import { ServerCheck } from './server-check.js';

interface Parts {
  readonly pool: string;
  readonly connection: RedisOptions;
  readonly credentials: CredentialsSource | undefined;
  readonly limits: { readonly createTimeoutMs: number; readonly maxLifetimeMs: number };
  /** How many connections the pool may have now. */
  readonly max: () => number;
  /** The shared connections that are ready now. */
  readonly shared: () => readonly (Redis | Cluster)[];
  /** Replaces the leased connections, gently. */
  readonly replaceLeased: () => void;
  readonly warn: (message: string) => void;
}

/** Sees to every connection of a pool while it is being opened: who it is for the server, and what server that is. */
export class Attendant {
  readonly #check: ServerCheck;
  readonly #rotation: Rotation | undefined;

  constructor({ pool, connection, credentials, limits, max, shared, replaceLeased, warn }: Parts) {
    const demand = {
      pool,
      get max() {
        return max();
      },
    };
    const expectsReplica = connection.readOnly === true || connection.role === 'slave';
    this.#check = new ServerCheck({ demand, expectsReplica, warn });
    if (credentials === undefined) return;
    this.#rotation = new Rotation({
      source: credentials,
      timeoutMs: limits.createTimeoutMs / 2, // the other half is for connecting
      maxLifetimeMs: limits.maxLifetimeMs,
      shared: () => shared().flatMap((client) => (client instanceof Cluster ? client.nodes() : [client])),
      replaceLeased,
      warn,
    });
  }

  /** What `make` makes, attended to. */
  attended<Client extends Redis | Cluster>(make: () => Client): () => Client {
    return () => {
      const client = make();
      if (client instanceof Cluster) this.#attendCluster(client);
      else this.#attend(client, (info) => this.#check.inspect(info));
      return client;
    };
  }

  #attend(client: Redis, inspect: Attendance['inspect']): void {
    const credentials = this.#rotation?.credentials;
    const prepare = credentials && ((each: Redis, signal: AbortSignal) => credentials.prepare(each, signal));
    attend(client, { prepare, inspect });
  }

  #attendCluster(cluster: Cluster): void {
    const credentials = this.#rotation?.credentials;
    attendCluster(cluster, {
      prepare: async () => credentials?.ask(),
      attendNode: (node) => this.#attend(node, (info) => this.#check.inspectNode(addressOf(node), info)),
    });
    eachQuestion(cluster, (question) => {
      keepDiscreet(question);
      credentials?.give(question);
      attend(question, { inspect: pass });
    });
    eachSubscriber(cluster, (subscriber) => {
      keepDiscreet(subscriber);
      this.#attend(subscriber, pass);
    });
  }

  /** The leased connections are being replaced: asks for credentials, and lets the shared connections use them. */
  renew(): void {
    void this.#rotation?.renew();
  }

  /** The pool is being closed. */
  end(): void {
    this.#check.end();
    this.#rotation?.end();
  }
}

const pass = (): void => undefined;

const addressOf = ({ options }: Redis): string => `${options.host}:${options.port}`;
