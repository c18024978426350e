// The ways to compress and to decompress whole inputs that the suites of compression compare.
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

/** `zlib`'s own functions, promisified. */
export const oneShot = {
  how: '`promisify(zlib.gzip)(input)` and its like, without options, except that brotli has the quality of the pool, 4',
  source: 'https://nodejs.org/api/zlib.html#convenience-methods',
  make: ({ method, options }) => {
    const call = promisify(zlib[method]);
    return (input) => call(input, options);
  },
};

export const sync = {
  how: '`zlib.gzipSync(input)` and its like, as above: on one core, and nothing else happens meanwhile',
  source: 'https://nodejs.org/api/zlib.html#zlibgzipsyncbuffer-options',
  make:
    ({ method, options }) =>
    async (input) =>
      zlib[`${method}Sync`](input, options),
};

/** Its default of one and a half threads for each core would have some end and begin again, which its documentation warns of. */
export const piscina = {
  how:
    '`zlib.gzipSync` in its threads, `new Piscina({ filename, maxThreads: availableParallelism() })`, so that none ends while there is ' +
    'little to do; outputs are moved, not copied. Inputs are copied, since their caller keeps them',
  source: 'https://github.com/piscinajs/piscina#queue-pressure-and-idle-threads',
  make: async ({ method, options }) => {
    const { Piscina } = await import('piscina');
    const filename = new URL('zlib-thread.mjs', import.meta.url).href;
    const maxThreads = availableParallelism();
    const threads = new Piscina({ filename, maxThreads, workerData: { method, options } });
    return (input) => threads.run(input);
  },
};

export const ours = {
  how: "`new CompressionPool(name, { type: 'compression', algorithm })`, its defaults; `compress(input)` and `decompress(input)`",
  source: 'docs/compression.md',
  make: async ({ algorithm, direction }) => {
    const pool = await openPool({ algorithm });
    return (input) => pool[direction](input);
  },
};

/** Imported by the file: an index of everything would add to a process' memory. */
export async function openPool(options) {
  const { CompressionPool } = await import('../../../dist/compression/compression-pool.js');
  return new CompressionPool('bench', { type: 'compression', ...options });
}
