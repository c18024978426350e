import type { Command } from 'ioredis';
import type { RedisConnection } from '../redis-connection.js';

/** A script that a client knows, as ioredis keeps it. */
interface Script {
  readonly Command: { readonly prototype: Pick<Command, 'inTransaction'> & { toWritable: Write } };
}

type Write = (socket: object) => string | Buffer;

/**
 * Has a client send its scripts as a whole inside transactions.
 *
 * ioredis sends the text of a script once over a connection, and from then on its digest; where the server does not know that, it says
 * NOSCRIPT, and gets the text again. Inside a transaction it says so only in the reply to EXEC, when all the rest was executed. And a
 * text that was sent in a transaction that came to nothing, since a watched key was changed, has never reached the server's memory.
 */
export function sendScriptsWhole<Client extends RedisConnection>(client: Client): Client {
  const scripts = client.scriptsSet as Record<string, Script>;
  for (const script of Object.values(scripts)) sendWhole(script);
  const define = client.defineCommand.bind(client);
  client.defineCommand = (name, definition) => {
    define(name, definition);
    sendWhole(scripts[name]!);
  };
  return client;
}

function sendWhole({ Command: { prototype } }: Script): void {
  const write = prototype.toWritable;
  prototype.toWritable = function (socket) {
    // For a socket that was never seen, ioredis takes the text. It remembers which it has seen, and so must not see this one.
    return write.call(this, this.inTransaction ? {} : socket);
  };
}
