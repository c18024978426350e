import { createPool } from 'lightning-pool';
import { Source } from '../source.mjs';

const RETRY_MS = 50;

export default {
  name: 'lightning-pool',
  documentation: 'https://github.com/panates/lightning-pool/blob/master/doc/API.md',
  configured:
    '`acquireTimeoutMillis`; `acquireRetryWait: 50` and so many `acquireMaxRetries` as fit well into it (none where callers should fail fast), so that a caller learns the real error. A resource that fails is given to `destroy()`, which takes idle ones, too. Shut down by `close(terminateWait)`.',
  lacks: {
    lease: 'it lends the bare resource',
    use: 'there is no such method',
    useSignal: 'there is no such method',
    signal: 'acquire() cannot be cancelled',
    ownDeadline: 'acquireTimeoutMillis is one for all callers',
    priority: 'there is no such option',
    suspend: 'there is no such method',
    start: 'start() says nothing of the outcome',
    createTimeout: 'no option bounds an attempt to create',
    lifetime: 'there is no such option',
    uses: 'there is no such option',
    drainReport: 'there is none',
    leaks: 'nothing is known of the holders',
    reclaim: 'nothing is known of the holders',
  },
  source: () => new Source(),

  open(source, options, { validates = false, resets = false, failFast = false, others } = {}) {
    const created = (resource) => {
      if (resource !== undefined) source.watch(resource, () => pool.destroy(resource));
      return resource;
    };
    const factory = {
      create: () => source.create().then(created),
      destroy: source.destroy,
      ...(validates && { validate: source.validate }),
      ...(resets && { reset: source.reset }),
    };
    const pool = createPool(factory, { ...translated(options, failFast), ...others });
    const hold = (resource) => ({
      resource,
      release: () => pool.releaseAsync(resource),
      destroy: () => pool.destroyAsync(resource),
    });
    return {
      acquire: () => pool.acquire().then(hold),
      stats: () => ({ idle: pool.available, leased: pool.acquired, waiting: pool.pending }),
      start: async () => pool.start(),
      resize: ({ max }) => void (pool.options.max = max),
      shutDown: (timeoutMs) => pool.close(timeoutMs),
      onCreateFailure: (listen) => pool.on('error', listen),
    };
  },
};

function translated(
  { min = 0, max, maxWaiting = 10_000, acquireTimeoutMs = 5_000, idleTimeoutMs = 30_000 },
  failFast,
) {
  return {
    min,
    max,
    maxQueue: maxWaiting,
    acquireTimeoutMillis: acquireTimeoutMs,
    acquireRetryWait: RETRY_MS,
    acquireMaxRetries: failFast ? 0 : Math.floor((acquireTimeoutMs * 0.6) / RETRY_MS),
    idleTimeoutMillis: idleTimeoutMs,
    houseKeepInterval: Math.min(1_000, idleTimeoutMs / 4),
  };
}
