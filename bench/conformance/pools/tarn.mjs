import tarn from 'tarn';
import { Source } from '../source.mjs';

export default {
  name: 'tarn',
  documentation: 'https://github.com/Vincit/tarn.js#readme',
  configured:
    'All its time-outs; `createRetryIntervalMillis: 50`, and `propagateCreateError` where callers should fail fast. A signal, or a deadline of a caller’s own, aborts the pending acquire (`acquire().abort()`).',
  lacks: {
    lease: 'it lends the bare resource',
    destroy: 'only a validator can have a resource closed',
    use: 'there is no such method',
    useSignal: 'there is no such method',
    queueLimit: 'there is no such option',
    priority: 'there is no such option',
    suspend: 'there is no such method',
    resize: 'the limits cannot be changed',
    start: 'nothing is opened ahead',
    brokenIdle: 'a resource is looked at only when it is acquired',
    reset: 'there is no such hook',
    lifetime: 'there is no such option',
    uses: 'there is no such option',
    drainDeadline: 'destroy() waits for every holder',
    drainReport: 'there is none',
    leaks: 'nothing is known of the holders',
    reclaim: 'nothing is known of the holders',
  },
  source: () => new Source(),

  open(source, options, { validates = false, failFast = false, others } = {}) {
    const pool = new tarn.Pool({
      create: () => source.create(),
      destroy: (resource) => source.destroy(resource),
      ...(validates && { validate: (resource) => source.validate(resource) }),
      ...translated(options),
      propagateCreateError: failFast,
      ...others,
    });
    const hold = (resource) => ({ resource, release: () => pool.release(resource) });
    const acquire = (how) => abortable(pool, how).then(hold);
    return {
      acquire,
      stats: () => ({
        idle: pool.numFree(),
        leased: pool.numUsed(),
        waiting: pool.numPendingAcquires(),
      }),
      // Nothing is opened before somebody asks.
      start: async () => (await acquire()).release(),
      shutDown: () => pool.destroy(),
      onCreateFailure: (listen) => pool.on('createFail', listen),
    };
  },
};

function abortable(pool, { signal, timeoutMs } = {}) {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const pending = pool.acquire();
  const abort = () => pending.abort();
  signal?.addEventListener('abort', abort, { once: true });
  const timer = timeoutMs === undefined ? undefined : setTimeout(abort, timeoutMs);
  return pending.promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  });
}

function translated({
  min = 0,
  max,
  acquireTimeoutMs = 5_000,
  createTimeoutMs = 10_000,
  destroyTimeoutMs = 5_000,
  idleTimeoutMs = 30_000,
}) {
  return {
    min,
    max,
    acquireTimeoutMillis: acquireTimeoutMs,
    createTimeoutMillis: createTimeoutMs,
    destroyTimeoutMillis: destroyTimeoutMs,
    idleTimeoutMillis: idleTimeoutMs,
    reapIntervalMillis: Math.min(1_000, Math.ceil(idleTimeoutMs / 4)),
    createRetryIntervalMillis: 50,
  };
}
