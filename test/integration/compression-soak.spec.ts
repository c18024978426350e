import { describe, expect, it } from '@jest/globals';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { ALGORITHMS, noise, random, text } from '../../lib/compression/payloads.fake.js';

const SEED = 20_260_101;
const CALLS = 2_000;
const IN_FLIGHT = 16;
const LIMIT = 100_000;

/** A number from 0 to `count` - 1. */
type Pick = (count: number) => number;

type Outcome = 'served' | 'refused' | 'aborted';

const ABORTED = new Error('aborted by the test');

/** In one call of four a signal that aborts some turns of the event loop from now. */
function signalOrNone(pick: Pick): AbortSignal | undefined {
  if (pick(4) > 0) return undefined;
  const controller = new AbortController();
  let turns = pick(60);
  const count = (): void => void (turns-- > 0 ? setImmediate(count) : controller.abort(ABORTED));
  count();
  return controller.signal;
}

async function roundTrip(pool: CompressionPool, input: Buffer, pick: Pick): Promise<Outcome> {
  try {
    const packed = await pool.compress(input, { signal: signalOrNone(pick) });
    const output = await pool.decompress(packed, { signal: signalOrNone(pick) });
    expect(output.equals(input)).toBe(true);
    return 'served';
  } catch (error) {
    if (error === ABORTED) return 'aborted';
    throw error;
  }
}

async function refusal(pool: CompressionPool, input: Buffer, pick: Pick): Promise<Outcome> {
  const packed = await pool.compress(input);
  const [bad, code] = [
    [packed.subarray(0, pick(packed.length)), 'ERR_POOL_INPUT_TRUNCATED'] as const,
    [Buffer.concat([packed, text(9)]), 'ERR_POOL_INPUT_TRAILING'] as const,
    [await pool.compress(Buffer.alloc(LIMIT + 1)), 'ERR_POOL_OUTPUT_TOO_LARGE'] as const,
  ][pick(3)]!;
  await expect(pool.decompress(bad)).rejects.toMatchObject({ code });
  return 'refused';
}

/** What call number `call` does follows from the seed alone; how the calls interleave is the machine's affair. */
function oneCall(pool: CompressionPool, call: number): Promise<Outcome> {
  const next = random(SEED + call);
  const pick: Pick = (count) => Math.floor(next() * count);
  const size = pick(4) === 0 ? pick(90_000) : pick(2_000);
  const input = pick(5) === 0 ? noise(size, call) : text(size, call);
  return pick(5) === 0 ? refusal(pool, input, pick) : roundTrip(pool, input, pick);
}

describe.each(ALGORITHMS)(`${CALLS} interleaved calls of %s (seed ${SEED})`, (algorithm) => {
  it('get each their own answer, whatever befalls the others', async () => {
    const pool = new CompressionPool(algorithm, {
      type: 'compression',
      algorithm,
      max: 4,
      maxOutputBytes: LIMIT,
    });
    const outcomes = { served: 0, refused: 0, aborted: 0 };
    const caller = async (first: number) => {
      for (let call = first; call < CALLS; call += IN_FLIGHT) outcomes[await oneCall(pool, call)] += 1;
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, first) => caller(first)));

    expect(outcomes.served + outcomes.refused + outcomes.aborted).toBe(CALLS);
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(0);
    expect(pool.stats().destroyed).toBeGreaterThan(0); // some were aborted half way
    expect(await pool.drain()).toMatchObject({ clean: true, closeFailures: 0 });
    expect(pool.stats()).toMatchObject({ size: 0, leased: 0, waiting: 0, timeouts: 0 });
  }, 60_000);
});
