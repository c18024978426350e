import { compressing, decompressing, traced, type CodecOperation } from '../core/channels.js';
import type { PoolHappening } from '../core/pool.events.js';
import { byteLengthOf, type Bytes } from './input-bytes.js';

/** One call of a compression pool that somebody wants to hear of. */
export interface ToldCall {
  readonly pool: string;
  readonly algorithm: string;
  readonly direction: 'compress' | 'decompress';
  readonly input: string | Bytes;
  readonly tell: (happening: PoolHappening) => void;
}

const CHANNELS = { compress: compressing, decompress: decompressing };

/** Somebody traces calls of this direction, in whatever pool. */
export const isTraced = (direction: ToldCall['direction']): boolean => CHANNELS[direction].hasSubscribers;

/** Does the work of a call, and tells how it went: on the channel, and as an event of the pool. */
export async function tellOf(call: ToldCall, work: () => Promise<Buffer>): Promise<Buffer> {
  const { pool, algorithm, direction, tell } = call;
  const startedAt = performance.now();
  const operation: CodecOperation = { pool, algorithm, inputBytes: byteLengthOf(call.input, pool) };
  const sized = async () => {
    const output = await work();
    operation.outputBytes = output.length;
    return output;
  };
  try {
    const output = await (isTraced(direction) ? traced(CHANNELS[direction], operation, sized) : sized());
    const durationMs = performance.now() - startedAt;
    const { inputBytes } = operation;
    tell({ type: `${direction}ed`, durationMs, inputBytes, outputBytes: output.length });
    return output;
  } catch (error) {
    tell({ type: `${direction}-failed`, durationMs: performance.now() - startedAt, error });
    throw error;
  }
}
