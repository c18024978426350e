// What piscina's threads run in compression-speed.mjs: zlib's synchronous functions.

import { move } from 'piscina';
import * as zlib from 'node:zlib';

/** The output is handed over, not copied; it is copied here once, since zlib's own buffer is larger than what it holds. */
export default function run({ method, input, options }) {
  return move(new Uint8Array(zlib[`${method}Sync`](input, options)));
}
