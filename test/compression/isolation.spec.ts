import { describe, expect, it } from '@jest/globals';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { ALGORITHMS, noise, random, text } from '../../lib/compression/payloads.fake.js';
import { ONE_SHOT } from '../support/payloads.js';

const SEED = Number(process.env.COMPRESSION_SEED ?? 20_260_101);
const CALLS = 3_000;
const IN_FLIGHT = 16;
const LIMIT = 100_000;

/** Contents are windows of one text, or of noise, each a step further: no two are the same. */
const LARGEST = 90_000;
const STEP = 101;
const TEXT = text(CALLS * STEP + LARGEST);
const NOISE = noise(CALLS * STEP + LARGEST);

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

/** Outputs that their callers keep, beside what they were. */
class Kept {
  readonly #outputs: { readonly output: Buffer; readonly was: Buffer }[] = [];

  /** Of two callers one keeps what he got, the other writes all over it. */
  handOver(output: Buffer, pick: Pick): void {
    if (pick(2) === 0) output.fill(0xee);
    else this.#outputs.push({ output, was: Buffer.from(output) });
  }

  get changed(): number {
    return this.#outputs.filter(({ output, was }) => !output.equals(was)).length;
  }

  get count(): number {
    return this.#outputs.length;
  }
}

interface World {
  readonly pool: CompressionPool;
  readonly kept: Kept;
  readonly unpack: (input: Uint8Array) => Buffer;
}

async function roundTrip({ pool, kept, unpack }: World, content: Buffer, pick: Pick): Promise<Outcome> {
  const input = Buffer.from(content);
  try {
    const packed = await pool.compress(input, { signal: signalOrNone(pick) });
    expect(input.equals(content)).toBe(true);
    input.fill(0xdd); // it is the caller's own again
    expect(unpack(packed).equals(content)).toBe(true);
    const output = await pool.decompress(packed, { signal: signalOrNone(pick) });
    expect(output.equals(content)).toBe(true);
    kept.handOver(packed, pick);
    kept.handOver(output, pick);
    return 'served';
  } catch (error) {
    if (error !== ABORTED) throw error;
    input.fill(0xcc);
    return 'aborted';
  }
}

async function refusal({ pool }: World, input: Buffer, pick: Pick): Promise<Outcome> {
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
function oneCall(world: World, call: number): Promise<Outcome> {
  const next = random(SEED + call);
  const pick: Pick = (count) => Math.floor(next() * count);
  const size = pick(4) === 0 ? pick(LARGEST) : pick(2_000);
  const start = call * STEP;
  const content = (pick(5) === 0 ? NOISE : TEXT).subarray(start, start + size);
  return pick(5) === 0 ? refusal(world, content, pick) : roundTrip(world, content, pick);
}

describe.each(ALGORITHMS)(`${CALLS} interleaved calls of %s (seed ${SEED})`, (algorithm) => {
  it('get each their own answer, whatever befalls the others and whatever they do with theirs', async () => {
    const pool = new CompressionPool(algorithm, {
      type: 'compression',
      algorithm,
      max: 4,
      maxOutputBytes: LIMIT,
    });
    const world = { pool, kept: new Kept(), unpack: ONE_SHOT[algorithm].unpack };
    const outcomes = { served: 0, refused: 0, aborted: 0 };
    const caller = async (first: number) => {
      for (let call = first; call < CALLS; call += IN_FLIGHT) outcomes[await oneCall(world, call)] += 1;
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, first) => caller(first)));

    expect(outcomes.served + outcomes.refused + outcomes.aborted).toBe(CALLS);
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(0);
    expect(world.kept.count).toBeGreaterThan(0);
    expect(world.kept.changed).toBe(0);
    expect(pool.stats().destroyed).toBeGreaterThan(0); // some were aborted half way
    expect(await pool.drain()).toMatchObject({ clean: true, closeFailures: 0 });
    expect(pool.stats()).toMatchObject({ size: 0, leased: 0, waiting: 0, timeouts: 0 });
  }, 60_000);
});
