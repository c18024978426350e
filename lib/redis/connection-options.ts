import type { RedisOptions } from 'ioredis';

interface Refusal {
  /** The values that are refused; nothing here means whatever is given. */
  readonly values?: readonly unknown[];
  readonly because: string;
}

/** Options of ioredis that would break a promise of the pool. */
const REFUSED: Readonly<Record<string, Refusal>> = {
  lazyConnect: { because: 'the pool decides when a connection is opened (see min and start())' },
  monitor: { values: [true], because: 'a connection that monitors carries no commands' },
  enableOfflineQueue: {
    values: [false],
    because:
      'callers wait for a shared connection, each until its deadline (see acquireTimeoutMs); leases have no such queue',
  },
  enableAutoPipelining: {
    values: [true],
    because:
      'a drain could not tell what is still to be sent; the callers of a shared connection are pipelined anyway',
  },
  autoResendUnfulfilledCommands: {
    values: [false],
    because:
      'ioredis would never answer what was in flight when a shared connection was lost; leases never resend',
  },
  replyMapping: { values: ['resp3'], because: 'replies would not have the types that are declared for them' },
};

/** Between two tries no caller's usual deadline shall pass, as it would with the 5 s that ioredis waits by default. */
const LONGEST_RETRY_MS = 1_000;

/** Without `commandTimeoutMs`, what was in flight when the server went away fails after so many tries, about four seconds. */
const RETRIES_PER_REQUEST = 8;

/** How long a leased connection that is being closed may flush, at most. */
const LONGEST_FLUSH_MS = 2_000;

/** Every problem of `options`, a sentence each; values are not shown. */
export function connectionOptionProblems(options: Readonly<Record<string, unknown>>): string[] {
  const refused = Object.entries(REFUSED).filter(([key, { values }]) => {
    const given = options[key];
    return given !== undefined && (values === undefined || values.includes(given));
  });
  return [
    ...refused.map(([key, { because }]) => `connection.${key} must be left out: ${because}`),
    ...sentinelProblems(options),
  ];
}

function sentinelProblems({ sentinels, name }: Readonly<Record<string, unknown>>): string[] {
  if (sentinels === undefined || sentinels === null) return [];
  const isList = Array.isArray(sentinels) && sentinels.length > 0;
  const isNamed = typeof name === 'string' && name !== '';
  return [
    ...(isList ? [] : ['connection.sentinels must be a list of at least one sentinel']),
    ...(isNamed ? [] : ['connection.name must be the name under which the sentinels know the master']),
  ];
}

/** For a connection that carries commands of all callers. ioredis reconnects it, and sends what was in flight again. */
export function sharedConnectionOptions(options: RedisOptions, commandTimeoutMs: number): RedisOptions {
  return {
    retryStrategy: (times) => Math.min(LONGEST_RETRY_MS, 50 * 2 ** (times - 1)) * (0.5 + Math.random() / 2),
    // With a deadline for each command, no count of tries decides.
    maxRetriesPerRequest: commandTimeoutMs > 0 ? null : RETRIES_PER_REQUEST,
    ...options,
    lazyConnect: true,
    // The pool itself waits for answers before it disconnects; after that nothing is left to wait for.
    disconnectTimeout: 0,
  };
}

/** For a connection that is lent: it never reconnects and never sends anything again behind its holder's back. */
export function leasedConnectionOptions(options: RedisOptions, destroyTimeoutMs: number): RedisOptions {
  return {
    disconnectTimeout: Math.min(LONGEST_FLUSH_MS, destroyTimeoutMs / 2),
    ...options,
    lazyConnect: true,
    retryStrategy: null,
    reconnectOnError: null,
    sentinelRetryStrategy: () => null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  };
}
