import type { Redis } from 'ioredis';
import { isObject } from '../../core/option-rules.js';
import { wordsOf } from '../../core/words-of.js';
import { readRedisUrl, redisUrlProblem } from '../redis-url.js';
import { within } from '../within.js';

/**
 * Who a connection is for the server, and how it proves that. Without `username` it is the user `default`.
 *
 * @publicApi
 */
export interface RedisCredentials {
  readonly username?: string;
  readonly password: string;
}

/** Where credentials come from: a secret store, a token service. */
export type CredentialsSource = () => Promise<RedisCredentials>;

interface Parts {
  readonly source: CredentialsSource;
  readonly timeoutMs: number;
  /** An answer came, whether or not it differs from the one before. */
  readonly answered: (differs: boolean) => void;
}

/** Clients that cannot connect yet because they wait for credentials. */
const waiting = new WeakSet<Redis>();

/** The client does not try to connect yet, for it has no credentials. */
export const awaitsCredentials = (client: Redis): boolean => waiting.has(client);

/** Asks for the credentials of connections, and knows which connection uses which. They are never shown. */
export class Credentials {
  readonly #parts: Parts;
  readonly #used = new WeakMap<Redis, RedisCredentials>();
  #latest: RedisCredentials | undefined;
  #asking: Promise<RedisCredentials> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Who asks while an answer is under way shares it, so that ten connections that are opened together ask once.
   * @throws why there are none: the source failed, was silent, or gave something else
   */
  ask(): Promise<RedisCredentials> {
    this.#asking ??= this.#askNow().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** As `ask()`, with an answer that is not older than the question. */
  async askAnew(): Promise<RedisCredentials> {
    await this.#asking?.catch(() => undefined);
    return this.ask();
  }

  /** Gives a client that is about to connect what it needs to prove who it is. */
  async prepare(client: Redis, signal: AbortSignal): Promise<void> {
    waiting.add(client);
    try {
      this.#give(client, await within(this.ask(), { ms: 0, signal, late: () => new Error('late') }));
    } finally {
      waiting.delete(client);
    }
  }

  /** As `prepare()`, with the latest answer, for a connection that is opened for one question: nobody is asked for that. */
  give(client: Redis): void {
    if (this.#latest !== undefined) this.#give(client, this.#latest);
  }

  /**
   * Lets a connection that is open prove anew who it is, if the latest answer differs from what it used. Who is not connected yet, such
   * as a node of a cluster that nobody needed so far, asks when it is.
   * @throws what the server says against it; the connection is who it was
   */
  async authenticate(client: Redis): Promise<void> {
    const latest = this.#latest;
    const used = this.#used.get(client);
    if (latest === undefined || client.status === 'wait' || (used !== undefined && same(latest, used)))
      return;
    const { username, password } = latest;
    await (username === undefined ? client.auth(password) : client.auth(username, password));
    this.#give(client, latest);
  }

  #give(client: Redis, credentials: RedisCredentials): void {
    const { username, password } = credentials;
    this.#used.set(client, credentials);
    Object.assign(client.options, { username, password }); // for duplicates of it
    // Only while it connects, or is connected.
    if (client.condition) client.condition.auth = username === undefined ? password : [username, password];
  }

  async #askNow(): Promise<RedisCredentials> {
    const { source, timeoutMs, answered } = this.#parts;
    const credentials = wellFormed(await inTime(attempt(source), timeoutMs));
    const differs = this.#latest !== undefined && !same(this.#latest, credentials);
    this.#latest = credentials;
    answered(differs);
    return credentials;
  }
}

/** Every problem of options that say twice who the connections are. */
export function credentialsProblems({ credentials, url, connection }: Record<string, unknown>): string[] {
  if (credentials === undefined) return [];
  const inUrl = typeof url === 'string' && redisUrlProblem(url) === undefined ? readRedisUrl(url) : {};
  const given = [inUrl, isObject(connection) ? connection : {}];
  const twice = given.some(({ username, password }) => username !== undefined || password !== undefined);
  return twice
    ? ['credentials takes the place of a user and password in url and connection; leave those out']
    : [];
}

async function attempt(source: CredentialsSource): Promise<unknown> {
  try {
    return await source();
  } catch (cause) {
    throw new Error(`credentials() failed: ${wordsOf(cause)}`, { cause });
  }
}

/** Who waits for a connection keeps the process alive until the time is up; a question alone does not. */
async function inTime(answer: Promise<unknown>, ms: number): Promise<unknown> {
  const deadline = new AbortController();
  const late = () => new Error(`credentials() did not answer within ${ms} ms`);
  const timer = setTimeout(() => deadline.abort(late()), ms).unref();
  try {
    return await within(answer, { ms: 0, signal: deadline.signal, late });
  } finally {
    clearTimeout(timer);
  }
}

function wellFormed(answer: unknown): RedisCredentials {
  const { username, password } = isObject(answer) ? answer : {};
  if (!isText(password) || (username !== undefined && !isText(username)))
    throw new Error(
      'credentials() must resolve with { username?: string, password: string }, neither of them empty',
    );
  return username === undefined ? { password } : { username, password };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const same = (one: RedisCredentials, other: RedisCredentials): boolean =>
  one.username === other.username && one.password === other.password;
