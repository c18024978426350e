import type { Redis } from 'ioredis';
import type { Trouble } from './trouble.js';

/**
 * Opens a connection and resolves when it is ready for commands.
 * @throws what is wrong with the server, or the signal's reason; the connection has ended then, or is about to
 */
export async function connect(client: Redis, trouble: Trouble, signal: AbortSignal): Promise<void> {
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
 * Closes a connection without a word to the server, and whatever it still tries. What was written is flushed for as long as
 * `disconnectTimeout` allows. Resolves when its socket is gone.
 */
export async function disconnect(client: Redis): Promise<void> {
  if (client.status === 'end') return;
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  // Between two tries there is no socket, and ioredis would wait for ever for one to close.
  if (client.status === 'reconnecting') client.connect().catch(() => undefined);
  client.disconnect();
  await ended;
}

/** Closes a connection that nobody uses yet, without waiting for anything. */
function cutOff(client: Redis): Promise<void> {
  const ended = disconnect(client);
  (client.stream as Redis['stream'] | undefined)?.destroy();
  return ended;
}
