import genericPool from 'generic-pool';
import { Source } from '../source.mjs';

const PRIORITIES = { high: 0, normal: 1, low: 2 };
const NEVER_MS = 2 ** 31 - 1;

export default {
  name: 'generic-pool',
  documentation: 'https://github.com/coopernurse/node-pool#readme',
  configured:
    '`acquireTimeoutMillis`, `destroyTimeoutMillis`, `testOnBorrow` where there is a validator, `fifo: false`; the evictor is on, with `softIdleTimeoutMillis` (the one that respects `min`) and `numTestsPerEvictionRun` as high as `max`. Shut down as documented: `drain()`, then `clear()`.',
  lacks: {
    lease: 'it lends the bare resource',
    signal: 'acquire() cannot be cancelled',
    useSignal: 'use() cannot be cancelled',
    ownDeadline: 'acquireTimeoutMillis is one for all callers',
    suspend: 'there is no such method',
    resize: 'the limits cannot be changed',
    createTimeout: 'no option bounds an attempt to create',
    brokenIdle: 'destroy() takes only what is borrowed',
    reset: 'there is no such hook',
    lifetime: 'there is no such option',
    uses: 'there is no such option',
    drainDeadline: 'drain() has none, and clear() closes only what is idle',
    drainReport: 'there is none',
    leaks: 'nothing is known of the holders',
    reclaim: 'nothing is known of the holders',
  },
  source: () => new Source(),

  open(source, options, { validates = false, priorities = false, others } = {}) {
    const factory = {
      create: source.create,
      destroy: source.destroy,
      ...(validates && { validate: source.validate }),
    };
    const pool = genericPool.createPool(factory, {
      ...translated(options),
      testOnBorrow: validates,
      ...(priorities && { priorityRange: 3 }),
      ...others,
    });
    const hold = (resource) => ({
      resource,
      release: () => pool.release(resource),
      destroy: () => pool.destroy(resource),
    });
    return {
      acquire: ({ priority } = {}) =>
        pool.acquire(priorities ? PRIORITIES[priority ?? 'normal'] : undefined).then(hold),
      use: (task) => pool.use(task),
      stats: () => ({ idle: pool.available, leased: pool.borrowed, waiting: pool.pending }),
      start: () => pool.ready(),
      shutDown: () => pool.drain().then(() => pool.clear()),
      onCreateFailure: (listen) => pool.on('factoryCreateError', listen),
    };
  },
};

function translated({
  min = 0,
  max,
  maxWaiting,
  acquireTimeoutMs = 5_000,
  destroyTimeoutMs = 5_000,
  idleTimeoutMs = 30_000,
}) {
  return {
    min,
    max,
    fifo: false,
    acquireTimeoutMillis: acquireTimeoutMs,
    destroyTimeoutMillis: destroyTimeoutMs,
    softIdleTimeoutMillis: idleTimeoutMs,
    idleTimeoutMillis: NEVER_MS,
    evictionRunIntervalMillis: idleTimeoutMs / 4,
    numTestsPerEvictionRun: max,
    ...(maxWaiting !== undefined && { maxWaitingClients: maxWaiting }),
  };
}
