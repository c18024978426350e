import { expect, it } from '@jest/globals';
import type { PoolEvent } from '../core/pool.events.js';
import { CompressionPool } from './compression-pool.js';

// Alone in its file: whatever pool comes first in a process may be the one that warns.
it('warns once per process when compression may take every thread of libuv', async () => {
  const warnings: PoolEvent[] = [];
  const others = ['one', 'two'].map((name) => {
    const other = new CompressionPool(name, { type: 'compression', algorithm: 'gzip', max: 500 });
    other.events$.subscribe((event) => event.type === 'warned' && warnings.push(event));
    return other;
  });
  for (const other of others) await other.compress('input');
  for (const other of others) await other.drain();
  expect(warnings).toEqual([
    { type: 'warned', pool: 'one', message: expect.stringContaining('UV_THREADPOOL_SIZE') },
  ]);
});
