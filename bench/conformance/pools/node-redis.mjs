import { createClientPool } from '@redis/client';
import { sleep } from '../check.mjs';
import { Gateway } from '../gateway.mjs';

const RETRY_MS = 50;

export default {
  name: 'node-redis',
  package: '@redis/client',
  documentation: 'https://github.com/redis/node-redis/blob/master/docs/pool.md',
  configured:
    '`acquireTimeout`, `cleanupDelay`; the clients have a `reconnectStrategy` that gives up well before `acquireTimeout` (at once where callers should fail fast), so that a caller learns the real error, and `connectTimeout`, `socketTimeout` and `pingInterval` where connecting may hang. `execute()` holds a client until it is given back. Shut down by `close()`, and by `destroy()` at the deadline.',
  lacks: {
    lease: 'execute() lends the bare client',
    signal: 'a signal ends a command, but not the wait for a client',
    useSignal: 'a signal ends a command, but not the wait for a client',
    ownDeadline: 'acquireTimeout is one for all callers',
    queueLimit: 'there is no such option',
    priority: 'there is no such option',
    suspend: 'there is no such method',
    resize: 'the limits cannot be changed',
    reset: 'a client stays as its last holder left it: SELECT, WATCH',
    lifetime: 'there is no such option',
    uses: 'there is no such option',
    drainReport: 'there is none',
    leaks: 'nothing is known of the holders',
    reclaim: 'nothing is known of the holders',
  },
  /** It pools Redis clients and nothing else: it opens, checks and closes them itself, so there is no factory to go wrong. */
  outside: { factory: 'it opens, checks and closes its clients itself' },
  needsRedis: true,
  source: () => Gateway.before(process.env.REDIS_URL),

  open(source, options, { failFast = false, others } = {}) {
    const pool = createClientPool(clientOptions(source, options, failFast), {
      ...translated(options),
      ...others,
    });
    pool.on('error', () => undefined);
    let connecting;
    let connected = false;
    const connect = () => (connecting ??= pool.connect().then(() => (connected = true)));
    const use = (task) => (connected ? pool.execute(task) : connect().then(() => pool.execute(task)));
    return {
      use,
      acquire: () => hold(use),
      stats: () => ({ idle: pool.idleClients, leased: pool.clientsInUse, waiting: pool.tasksQueueLength }),
      start: connect,
      shutDown: (timeoutMs) => closeOrDestroy(pool, timeoutMs),
      onCreateFailure: (listen) => pool.on('error', listen),
    };
  },
};

/** A client for as long as its holder likes. */
function hold(use) {
  return new Promise((resolve, reject) => {
    const held = (resource) =>
      new Promise((release) => resolve({ resource, release: async () => release() }));
    use(held).catch(reject);
  });
}

async function closeOrDestroy(pool, timeoutMs) {
  const closed = pool.close();
  closed.catch(() => undefined);
  const late = await Promise.race([closed, sleep(timeoutMs, 'late', { ref: false })]);
  if (late === 'late') pool.destroy();
}

function clientOptions(source, { createTimeoutMs, acquireTimeoutMs = 5_000 }, failFast) {
  const tries = Math.floor((acquireTimeoutMs * 0.6) / RETRY_MS);
  return {
    ...(createTimeoutMs !== undefined && { pingInterval: createTimeoutMs / 2 }),
    socket: {
      host: '127.0.0.1',
      port: source.port,
      reconnectStrategy: failFast ? false : (retries) => (retries < tries ? RETRY_MS : false),
      ...(createTimeoutMs !== undefined && {
        connectTimeout: createTimeoutMs,
        socketTimeout: createTimeoutMs,
      }),
    },
  };
}

function translated({ min = 1, max, acquireTimeoutMs = 5_000, idleTimeoutMs = 30_000 }) {
  return {
    minimum: Math.max(1, min),
    maximum: max,
    acquireTimeout: acquireTimeoutMs,
    cleanupDelay: idleTimeoutMs,
  };
}
