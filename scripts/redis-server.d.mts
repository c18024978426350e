/** How the embedded server is started. */
export interface RedisServerOptions {
  /** The port to listen at. Default: a free one. Use it to bring a server back where it was. */
  port?: number;
  /** The password of the `default` user. Default: none. It never shows in the process list. */
  password?: string;
  /** Further arguments of `redis-server`; where they contradict the defaults (no persistence), they win. */
  args?: readonly string[];
  /** Further lines of its configuration file, which is the server's own: Sentinel keeps its state there. */
  config?: readonly string[];
}

/** A Redis (or Valkey) server of this process's own: it never outlives it, even if it is killed by SIGKILL. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  /** `redis://127.0.0.1:<port>`, with the password if there is one. */
  readonly url: string;
  /** The pid of the server itself. */
  readonly pid: number;
  /** Resolves when the server is gone, for whatever reason. Does not keep the process alive; `stop()` does. */
  readonly exited: Promise<void>;
  /** Ends the server and resolves when it is gone, its files too. Nothing is saved. May be called again. */
  readonly stop: () => Promise<void>;
  /** Sends a signal to the server, `SIGSTOP` or `SIGKILL` for example; `false` when it has ended already. */
  readonly kill: (signal: NodeJS.Signals) => boolean;
}

/**
 * Starts a server on 127.0.0.1 and resolves when it answers PING. It keeps no data, works in a temporary directory
 * of its own, does not hear the terminal's Ctrl-C and does not keep the process alive.
 *
 * @throws {Error} no server binary can be found (see {@link findRedisServer}), or the server ended while it started;
 * the message has its last log lines
 * @example
 * const server = await startRedisServer();
 * const redis = new Redis(server.url);
 * …
 * await server.stop();
 */
export function startRedisServer(options?: RedisServerOptions): Promise<RedisServer>;

/**
 * Finds a server's executable: `REDIS_SERVER_BIN`; `redis-server` or `valkey-server` on the PATH, or `redis-check-rdb`,
 * which is the same program under another name; else it installs one with `apt-get` (as root or by passwordless sudo)
 * or `brew`, or builds one with `redis-memory-server`, and says so on stderr. Several processes may ask at the same
 * time: one installs, the others wait.
 *
 * @throws {Error} `REDIS_SERVER_BIN` does not run as a Redis server, or none of the ways worked
 */
export function findRedisServer(): Promise<string>;
