import { ResourcePool } from '../../../dist/core/resource-pool.js';
import { Source } from '../source.mjs';

export default {
  name: 'nestjs-pool',
  documentation: 'lifecycle.md',
  configured:
    'Defaults; a resource is validated each time it is lent (`validateAfterIdleMs: 0`) where validators are looked at.',
  lacks: {},
  source: () => new Source(),

  open(source, options, { validates = false, resets = false, others } = {}) {
    const { create, destroy, watch, validate, reset } = source;
    const pool = new ResourcePool(
      'conformance',
      { create, destroy, watch, ...(validates && { validate }), ...(resets && { reset }) },
      { ...options, ...(validates && { validateAfterIdleMs: 0 }), ...others },
    );
    return {
      acquire: (how) => pool.acquire(how),
      use: (task, how) => pool.use(task, how),
      stats: () => pool.stats(),
      start: (timeoutMs) => pool.start({ timeoutMs }),
      resize: (limits) => pool.resize(limits),
      suspend: () => pool.suspend(),
      resume: () => pool.resume(),
      shutDown: (timeoutMs) => pool.drain({ timeoutMs }),
      onLeak: (listen) =>
        pool.events$.subscribe((event) => event.type === 'leaked' && listen(event.acquiredAt)),
      onCreateFailure: (listen) =>
        pool.events$.subscribe((event) => event.type === 'create-failed' && listen()),
    };
  },
};
