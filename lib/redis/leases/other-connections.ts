import { setMaxListeners } from 'node:events';
import { Command, ReplyError, type Redis } from 'ioredis';
import { connect, disconnect } from '../opening/connection-life.js';
import { runIdOf } from '../opening/attendance.js';
import { keepDiscreet } from '../opening/discretion.js';
import { Trouble } from '../opening/trouble.js';
import { within } from '../within.js';

/** Where other connections to the server of a client come from. */
export interface ConnectionSources {
  /** Those that are open anyway and can take a command at once; they may lead elsewhere. */
  readonly ready: () => readonly Redis[];
  /** Makes one that is not connected yet. */
  readonly make: (client: Redis) => Redis;
}

/** Says something to the server of a client on another connection. */
export interface Messenger {
  /** Resolves with whether the server has heard it. */
  tell(words: string[], ms: number): Promise<boolean>;
  /** There is nothing more to say. False when something that was said may still arrive, though the server has heard it already. */
  done(): boolean;
}

/** What became of a word that was given to a connection: `unanswered` may still arrive. */
type Reception = 'heard' | 'refused' | 'unanswered' | 'unsaid';

/**
 * Other connections to the server that a client is connected to, for what can only be said from outside: that it shall be unblocked.
 * Where none is ready one is opened for the moment, for all who need one, and closed when the last of them is done. For that moment
 * it exceeds the pool's `max`, for who must be unblocked may hold the last connection.
 */
export class OtherConnections {
  readonly #sources: ConnectionSources;
  /** Those that were opened for the moment, by the server they are meant to lead to. */
  readonly #extras = new Map<string, Extra>();

  constructor(sources: ConnectionSources) {
    this.#sources = sources;
  }

  for(client: Redis): Messenger {
    const server = serverOf(client);
    let extra: Extra | undefined;
    let mayArrive = false;
    const ways = [
      (words: string[], ms: number) => this.#tellReady(server, words, ms),
      (words: string[], ms: number) => (extra ??= this.#join(server, client)).tell(words, ms),
    ];
    return {
      tell: async (words, ms) => {
        for (const way of ways) {
          const reception = await way(words, ms / ways.length);
          if (reception === 'heard' || reception === 'refused') return reception === 'heard';
          mayArrive ||= reception === 'unanswered';
        }
        return false;
      },
      done: () => {
        if (extra?.leave() === true) this.#extras.delete(keyOf(server));
        return !mayArrive;
      },
    };
  }

  async #tellReady(server: Server, words: string[], ms: number): Promise<Reception> {
    const ready = this.#sources.ready().find((other) => isSame(serverOf(other), server));
    return ready === undefined ? 'unsaid' : tell(ready, words, ms);
  }

  #join(server: Server, client: Redis): Extra {
    const extra = this.#extras.get(keyOf(server)) ?? new Extra(server, this.#sources.make(client));
    this.#extras.set(keyOf(server), extra);
    extra.join();
    return extra;
  }
}

/** A connection that was opened for the moment. */
class Extra {
  readonly #server: Server;
  readonly #client: Redis;
  readonly #opened: Promise<void>;
  readonly #abandon = new AbortController();
  #users = 0;

  constructor(server: Server, client: Redis) {
    keepDiscreet(client);
    this.#server = server;
    this.#client = client;
    this.#opened = connect(client, new Trouble(client), this.#abandon.signal);
    this.#opened.catch(() => undefined); // who waits for it hears of it
  }

  join(): void {
    this.#users += 1;
  }

  /** True when nobody is left, and it is being closed. */
  leave(): boolean {
    this.#users -= 1;
    if (this.#users > 0) return false;
    this.#abandon.abort(new Error('not needed any more'));
    void this.#opened.then(() => disconnect(this.#client)).catch(() => undefined);
    return true;
  }

  async tell(words: string[], ms: number): Promise<Reception> {
    const isOpen = await within(this.#opened, { ms, late: tooLate }).then(yes, no);
    // By another address another server may answer: the next master, or one of several behind a name.
    if (!isOpen || !isSame(serverOf(this.#client), this.#server)) return 'unsaid';
    return tell(this.#client, words, ms);
  }
}

/**
 * A word is never sent again by ioredis when its connection is lost: after a restart the server calls somebody else by the same number.
 */
async function tell(client: Redis, [name = '', ...args]: string[], ms: number): Promise<Reception> {
  const { stream } = client;
  if (!stream.writable) return 'unsaid';
  const command = new Command(name, args);
  const drop = () => command.reject(new Error('the connection was lost'));
  setMaxListeners(0, stream); // one for each word, and `max` bounds those
  stream.prependOnceListener('close', drop); // before ioredis sorts out what it sends again
  void client.sendCommand(command);
  const settled = () => stream.removeListener('close', drop);
  command.promise.then(settled, settled);
  return within(command.promise, { ms, late: tooLate }).then(
    () => 'heard',
    (error: unknown) => (error instanceof ReplyError ? 'refused' : 'unanswered'),
  );
}

/** One run of a server; which one is not known where this user may not ask. */
interface Server {
  readonly address: string;
  readonly runId: string | undefined;
}

function serverOf(client: Redis): Server {
  const { options, stream } = client;
  const address = options.path ?? `${stream.remoteAddress} ${stream.remotePort}`;
  return { address, runId: runIdOf(client) };
}

function isSame(one: Server, other: Server): boolean {
  const mayBeTheSameRun = one.runId === undefined || other.runId === undefined || one.runId === other.runId;
  return one.address === other.address && mayBeTheSameRun;
}

const keyOf = ({ address, runId = '' }: Server): string => `${address} ${runId}`;

const yes = (): boolean => true;
const no = (): boolean => false;
const tooLate = (): Error => new Error('no answer in time');
