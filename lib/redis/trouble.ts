import type { Redis } from 'ioredis';

/**
 * Why a connection is not ready. It listens as long as its client lives, which also keeps ioredis from printing errors to the
 * console.
 */
export class Trouble {
  readonly #client: Redis;
  #last: Error | undefined;
  #answered = false;

  constructor(client: Redis) {
    this.#client = client;
    client.on('error', (error) => {
      this.#last = error;
    });
    client.on('ready', () => {
      this.#last = undefined;
      this.#answered = true;
    });
    client.on('close', () => {
      if (this.#answered) this.#last ??= new Error('the server closed the connection');
      else if (saysOnlyThatItClosed(this.#last)) this.#last = new Error(CLOSED_EARLY, { cause: this.#last });
      this.#answered = false;
    });
  }

  /** Something went wrong since the connection was last ready. */
  get exists(): boolean {
    return this.#last !== undefined;
  }

  /** The last error, or what the server's silence suggests; nothing while the connection is ready. */
  get cause(): Error | undefined {
    if (this.#last !== undefined || this.#client.status === 'ready') return this.#last;
    return new Error(meaningOfSilence(this.#client));
  }
}

const saysOnlyThatItClosed = (error: NodeJS.ErrnoException | undefined): boolean =>
  error === undefined || error.code === 'ECONNRESET' || error.code === 'EPIPE';

const CLOSED_EARLY = 'the server closed the connection before it answered; does it speak TLS at that port?';

function meaningOfSilence({ status, stream, options }: Redis): string {
  if (status === 'connect')
    return 'the server accepted the connection and does not answer; is it a Redis server?';
  const isReached = (stream as Redis['stream'] | undefined)?.connecting === false;
  return status === 'connecting' && isReached && options.tls !== undefined
    ? 'the server does not answer the TLS handshake; does it speak TLS at that port?'
    : 'the server does not accept the connection';
}
