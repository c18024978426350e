import type { Command, Redis } from 'ioredis';

/** A server that simply is a replica is not left more often than this. */
const PAUSE_MS = 1_000;

/** What ioredis is to do about an error: to connect again, and to send the command again, too. */
const LEAVE = 1;
const LEAVE_AND_RESEND = 2;

type Decide = NonNullable<Redis['options']['reconnectOnError']>;

/**
 * Lets a client leave a server that has become a replica while it was connected: the first write that is refused with READONLY makes it
 * connect again, as the address may lead to the new master by now, and is sent again there, with all that were refused beside it.
 * A write that is refused again right after that fails. A `reconnectOnError` of the user's own goes first.
 *
 * ioredis sends each command again by itself. One that was refused inside a transaction would be executed without the rest of it, so it
 * fails, and the transaction with it.
 */
export function leaveDemotedMaster(client: Redis): void {
  const decide = client.options.reconnectOnError ?? leaving(client);
  let isInTransaction = false;
  const sort = client.handleReconnection.bind(client);
  client.handleReconnection = (error, item) => {
    isInTransaction = (item.command as Command).inTransaction;
    sort(error, item);
  };
  client.options.reconnectOnError = (error) => {
    const decision = decide(error);
    return decision === LEAVE_AND_RESEND && isInTransaction ? LEAVE : decision;
  };
}

function leaving(client: Redis): Decide {
  let isLeaving = false;
  let leftAt = -Infinity;
  client.on('ready', () => {
    isLeaving = false;
  });
  return (error) => {
    if (!error.message.startsWith('READONLY')) return false;
    const now = performance.now();
    if (!isLeaving && now - leftAt < PAUSE_MS) return false;
    if (!isLeaving) leftAt = now;
    isLeaving = true;
    client.stream.setMaxListeners(0); // ioredis hangs up once for each write, and listens each time for when it is done
    return LEAVE_AND_RESEND;
  };
}
