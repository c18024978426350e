import type { Redis } from 'ioredis';

/** A server that simply is a replica is not left more often than this. */
const PAUSE_MS = 1_000;

/**
 * Lets a client leave a server that has become a replica while it was connected: the first write that is refused with READONLY makes it
 * connect again, as the address may lead to the new master by now, and is sent again there, with all that were refused beside it.
 * A write that is refused again right after that fails. A `reconnectOnError` of the user's own goes first.
 */
export function leaveDemotedMaster(client: Redis): void {
  let leaving = false;
  let leftAt = -Infinity;
  client.options.reconnectOnError ??= (error) => {
    if (!error.message.startsWith('READONLY')) return false;
    const now = performance.now();
    if (!leaving && now - leftAt < PAUSE_MS) return false;
    if (!leaving) leftAt = now;
    leaving = true;
    return 2;
  };
  client.on('ready', () => {
    leaving = false;
  });
}
