import type { Codec, Coder } from '../../lib/compression/codec.js';
import { turns } from './payloads.streams.js';

const EXTRA_TURNS = 2;

/** A codec that tells how its compressors were used against their contract. */
export interface WatchedCodec extends Codec {
  readonly misuses: readonly string[];
}

/** The codec, whose compressors take some turns of the event loop longer, so that more happens meanwhile. */
export function watched(codec: Codec): WatchedCodec {
  const misuses: string[] = [];
  return {
    ...codec,
    misuses,
    createCompressor: (options) =>
      watchedCoder(codec.createCompressor(options), (what) => misuses.push(what)),
  };
}

function watchedCoder(coder: Coder, tell: (misuse: string) => void): Coder {
  let state: 'ready' | 'working' | 'over' = 'ready';
  return {
    run: async (input, maxOutputBytes) => {
      if (state !== 'ready') tell(`asked while it is ${state}`);
      state = 'working';
      try {
        const output = await coder.run(input, maxOutputBytes);
        await turns(EXTRA_TURNS);
        if (state === 'working') state = 'ready';
        return output;
      } catch (error) {
        state = 'over';
        throw error;
      }
    },
    close: () => {
      state = 'over';
      return coder.close();
    },
  };
}
