import { ReplyError, type Command, type Redis } from 'ioredis';
import { awaitsCredentials } from './credentials.js';
import { diagnosed } from './diagnosis.js';

/**
 * Why a connection is not ready. It listens as long as its client lives, which also keeps ioredis from printing errors to the
 * console.
 */
export class Trouble {
  readonly #client: Redis;
  #last: Error | undefined;
  /** The server's answer to the first command of the greeting, if it was an error. */
  #refusal: Error | undefined;
  #answered = false;

  constructor(client: Redis) {
    this.#client = client;
    client.on('error', (error) => {
      this.#last = diagnosed(error);
    });
    client.on('connecting', () => {
      this.#refusal = undefined;
    });
    client.on('connect', () => this.#listenForRefusal());
    client.on('ready', () => {
      this.#last = undefined;
      this.#answered = true;
    });
    client.on('close', () => this.#closed());
  }

  /** Something went wrong since the connection was last ready. */
  get exists(): boolean {
    return this.#last !== undefined;
  }

  /** ioredis has its answers and still waits: it asks again until the server has loaded its data. */
  get isLoading(): boolean {
    const { status, commandQueue } = this.#client;
    return status === 'connect' && commandQueue.length === 0;
  }

  /** The last error, or what the server's silence suggests; nothing while the connection is ready. */
  get cause(): Error | undefined {
    if (this.#last !== undefined || this.#client.status === 'ready') return this.#last;
    return new Error(this.isLoading ? LOADING : meaningOfSilence(this.#client));
  }

  /**
   * A server that refuses a client says why before it is asked anything, and hangs up. ioredis takes that for the answer to its first
   * command, waits for those to the others, and in the end knows only that the connection was closed.
   */
  #listenForRefusal(): void {
    void firstCommandOf(this.#client)?.promise?.catch((error: Error) => {
      if (error instanceof ReplyError) this.#refusal = diagnosed(error);
    });
  }

  #closed(): void {
    if (this.#answered) this.#last ??= new Error('the server closed the connection');
    else if (saysOnlyThatItClosed(this.#last))
      this.#last = this.#refusal ?? new Error(meaningOfHangingUp(this.#client), { cause: this.#last });
    this.#answered = false;
  }
}

const firstCommandOf = ({ commandQueue }: Redis): Partial<Command> | undefined =>
  (commandQueue.peekAt(0) as { command: Command } | undefined)?.command;

const saysOnlyThatItClosed = (error: NodeJS.ErrnoException | undefined): boolean =>
  error === undefined || error.code === 'ECONNRESET' || error.code === 'EPIPE';

const meaningOfHangingUp = ({ options }: Redis): string =>
  options.tls === undefined
    ? 'the server closed the connection before it answered; does it speak TLS at that port? Then use rediss://, or connection.tls'
    : 'the server closed the connection before TLS was agreed on; does it speak TLS at that port? If not, use redis:// without tls';

const LOADING = 'the server is still loading its data; wait, or give the start more time';

function meaningOfSilence(client: Redis): string {
  if (awaitsCredentials(client)) return 'credentials() has not answered yet';
  const { status, stream, options } = client;
  if (status === 'connect')
    return 'the server accepted the connection and does not answer; is it a Redis server?';
  const isReached = (stream as Redis['stream'] | undefined)?.connecting === false;
  return status === 'connecting' && isReached && options.tls !== undefined
    ? 'the server does not answer the TLS handshake; does it speak TLS at that port?'
    : 'the server does not accept the connection';
}
