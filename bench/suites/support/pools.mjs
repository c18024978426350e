/**
 * The pools of anything, each behind two methods: `visit(work)` takes a resource, lets `work` have it, if there is any, and gives it
 * back, and resolves with the resource; `close()` closes what is idle.
 */
export const POOLS = {
  'generic-pool': {
    how: '`createPool(factory, { min, max })`',
    source: 'https://github.com/coopernurse/node-pool#documentation',
    open: async (factory, limits) => {
      const { createPool } = (await import('generic-pool')).default;
      const pool = createPool(factory, limits);
      const visit = async (work) => {
        const resource = await pool.acquire();
        if (work !== undefined) await work(resource);
        await pool.release(resource);
        return resource;
      };
      return { visit, close: () => pool.drain().then(() => pool.clear()) };
    },
  },
  tarn: {
    how: '`new Pool({ ...factory, min, max })`',
    source: 'https://github.com/vincit/tarn.js#usage',
    open: async (factory, limits) => {
      const { Pool } = (await import('tarn')).default;
      const pool = new Pool({ ...factory, ...limits });
      const visit = async (work) => {
        const resource = await pool.acquire().promise;
        if (work !== undefined) await work(resource);
        pool.release(resource);
        return resource;
      };
      return { visit, close: () => pool.destroy() };
    },
  },
  'lightning-pool': {
    how: '`createPool(factory, { min, max, maxQueue: 10000 })`, for by default it refuses the 1,001st who waits',
    source: 'https://github.com/panates/lightning-pool/blob/master/doc/API.md',
    open: async (factory, limits) => {
      const { createPool } = await import('lightning-pool');
      const pool = createPool(factory, { ...limits, maxQueue: 10_000 });
      const visit = async (work) => {
        const resource = await pool.acquire();
        if (work !== undefined) await work(resource);
        pool.release(resource);
        return resource;
      };
      return { visit, close: () => pool.close() };
    },
  },
  'nestjs-pool': {
    how: '`new ResourcePool(name, factory, { min, max })`',
    source: 'README.md#options-of-a-pool',
    open: async (factory, limits) => {
      const { ResourcePool } = await import('../../../dist/core/resource-pool.js');
      const pool = new ResourcePool('bench', factory, limits);
      const visit = async (work) => {
        const lease = await pool.acquire();
        const { resource } = lease;
        if (work !== undefined) await work(resource);
        await lease.release();
        return resource;
      };
      return { visit, close: () => pool.drain() };
    },
  },
};
