import { ReplyError, type Cluster, type Redis } from 'ioredis';
import { isCluster, nodesOf } from '../nodes.js';
import type { RedisConnection } from '../redis-connection.js';
import type { Trouble } from './trouble.js';

/**
 * Opens a connection and resolves when it is ready for commands.
 * @throws what is wrong with the server, or the signal's reason; the connection has ended then, or is about to
 */
export async function connect(
  client: RedisConnection,
  trouble: Pick<Trouble, 'cause'>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.once('end', () => reject(trouble.cause ?? new Error('the connection ended')));
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      client.connect().catch(() => undefined); // its events tell more
    });
  } catch (error) {
    await cutOff(client);
    throw error;
  }
}

/**
 * Asks the server for a sign of life. That this user may not PING is one, too.
 * @throws what is wrong with the connection or the server
 */
export async function knock(client: RedisConnection): Promise<void> {
  try {
    await client.ping();
  } catch (error) {
    if (!(error instanceof ReplyError) || !(error as Error).message.startsWith('NOPERM ')) throw error;
  }
}

/**
 * Closes a connection without a word to the server, and whatever it still tries. What was written is flushed for as long as
 * `disconnectTimeout` allows. Resolves when its sockets are gone.
 */
export async function disconnect(client: RedisConnection): Promise<void> {
  if (client.status === 'end') return;
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  if (isCluster(client)) await disconnectNodes(client);
  else {
    // Between two tries there is no socket, and ioredis would wait for ever for one to close.
    if (client.status === 'reconnecting') client.connect().catch(() => undefined);
    client.disconnect();
  }
  await ended;
}

/** A cluster client ends with the first of its nodes, and never when it has none. */
async function disconnectNodes(client: Cluster): Promise<void> {
  const open = client.nodes().filter(({ status }) => status !== 'end');
  const gone = open.map((node) => new Promise<void>((resolve) => node.once('end', () => resolve())));
  client.disconnect();
  if (open.length === 0) (client as unknown as { handleCloseEvent: () => void }).handleCloseEvent();
  await Promise.all(gone);
}

/** Closes a connection that nobody uses yet, without waiting for anything. */
function cutOff(client: RedisConnection): Promise<void> {
  const nodes = nodesOf(client);
  const ended = disconnect(client);
  for (const { stream } of nodes) (stream as Redis['stream'] | undefined)?.destroy();
  return ended;
}
