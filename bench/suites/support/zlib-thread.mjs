// What piscina's threads do in the suites of compression: zlib's synchronous functions.
import { move, workerData } from 'piscina';
import * as zlib from 'node:zlib';

const { method, options } = workerData;

/** The output is handed over, not copied; it is copied here once, since zlib's own buffer is larger than what it holds. */
export default function run(input) {
  return move(new Uint8Array(zlib[`${method}Sync`](input, options)));
}
