import type { Codec, Joiner } from './codec.js';
import type { Traffic } from './traffic.js';

/** For outputs that are read as one when they stand one behind another. */
export const SIDE_BY_SIDE: Joiner = { add: (_, output) => output, end: () => Buffer.alloc(0) };

/** How outputs of blocks become one. What a codec's own joiner gives out is counted here, for only it knows how much that is. */
export function newJoiner(codec: Codec, traffic: Traffic): Joiner {
  const joiner = codec.createJoiner?.();
  if (joiner === undefined) return SIDE_BY_SIDE;
  const counted = (output: Buffer): Buffer => {
    traffic.count(0, output.length, 0);
    return output;
  };
  return {
    add: (block, output) => counted(joiner.add(block, output)),
    end: () => counted(joiner.end()),
  };
}
