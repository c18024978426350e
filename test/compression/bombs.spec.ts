import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import type { CompressionPoolOptions } from '../../lib/compression/compression.options.js';
import { ALGORITHMS, text } from '../../lib/compression/payloads.fake.js';
import { BOMB_OUTPUT_BYTES, BOMBS, zstdBombInOneFrame } from '../support/payloads.bombs.js';
import { ONE_SHOT } from '../support/payloads.js';

const LIMIT = 1_000_000;
const TOO_LARGE = { code: 'ERR_POOL_OUTPUT_TOO_LARGE' };

let pool: CompressionPool;
afterEach(() => pool.drain());

function open(algorithm: CompressionPoolOptions['algorithm'], options?: Partial<CompressionPoolOptions>) {
  pool = new CompressionPool('bombs', {
    type: 'compression',
    algorithm,
    maxOutputBytes: LIMIT,
    ...options,
  });
  return pool;
}

/** To decode one of them to its end takes longer than a test may. */
describe.each(ALGORITHMS)('a %s bomb, which opens to 10 GiB', (algorithm) => {
  const { pack } = ONE_SHOT[algorithm];
  let bomb: Buffer;
  beforeAll(async () => {
    bomb = await BOMBS[algorithm]();
    expect(bomb.length).toBeLessThan(BOMB_OUTPUT_BYTES / 900);
  });

  it('is stopped at the limit, and the next caller is served by a context that is as good as new', async () => {
    open(algorithm, { max: 1 });
    const good = text(50_000);
    for (let call = 0; call < 3; call++) {
      const before = process.memoryUsage().arrayBuffers;
      await expect(pool.decompress(bomb)).rejects.toMatchObject(TOO_LARGE);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * LIMIT);
      expect((await pool.decompress(pack(good))).equals(good)).toBe(true);
    }
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0, leased: 0 });
  });

  it('is stopped at the limit of the call, however small', async () => {
    open(algorithm);
    for (const maxOutputBytes of [0, 1, 65_536])
      await expect(pool.decompress(bomb, { maxOutputBytes })).rejects.toMatchObject(TOO_LARGE);
  });

  it('does not keep others from what is theirs, be it one of two hundred', async () => {
    open(algorithm, { maxQueuedBytes: 0 });
    const calls = Array.from({ length: 200 }, async (_, call) => {
      const good = text(1_000 + call, call);
      const [outcome, output] = await Promise.all([
        pool.decompress(bomb, { maxOutputBytes: 100_000 }).catch((error: unknown) => error),
        pool.decompress(pack(good)),
      ]);
      expect(outcome).toMatchObject(TOO_LARGE);
      expect(output.equals(good)).toBe(true);
    });
    await Promise.all(calls);
    expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0, destroyed: 0 });
  });

  it('is given up when its caller gives up', async () => {
    open(algorithm, { max: 1, maxOutputBytes: BOMB_OUTPUT_BYTES });
    const controller = new AbortController();
    const opening = pool.decompress(bomb, { signal: controller.signal });
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(opening).rejects.toBe(controller.signal.reason);
    const good = text(5_000);
    expect((await pool.decompress(pack(good))).equals(good)).toBe(true);
  });
});

if (ALGORITHMS.includes('zstd')) {
  describe('a zstd bomb in a single frame', () => {
    it('is stopped at the limit', async () => {
      const bomb = zstdBombInOneFrame();
      await expect(open('zstd').decompress(bomb)).rejects.toMatchObject(TOO_LARGE);
    });
  });
}
