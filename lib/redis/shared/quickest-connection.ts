import type { SharedClient } from './shared-connection.js';

/** More than the load of any connection. */
const FAR_BEHIND = 2 ** 40;

/** The least busy connection that is ready; one that is overtaken, as it is in the middle of a large reply, only when all are. */
export function quickestOf(connections: readonly SharedClient[]): SharedClient | undefined {
  const [only] = connections;
  if (connections.length === 1) return only?.isReady === true ? only : undefined;
  for (const { headOfLine } of connections) headOfLine.look();
  let quickest: SharedClient | undefined;
  let leastLoad = Infinity;
  for (const connection of connections) {
    if (!connection.isReady) continue;
    const load = connection.load + (connection.headOfLine.isOvertaken ? FAR_BEHIND : 0);
    if (load >= leastLoad) continue;
    quickest = connection;
    leastLoad = load;
  }
  return quickest;
}
