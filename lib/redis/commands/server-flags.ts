import { ReplyError } from 'ioredis';
import type { RedisConnection } from '../redis-connection.js';

/** An entry of COMMAND: name, arity, flags, the places of keys (3), and since Redis 6 the ACL categories. */
type CommandEntry = readonly [name: string, ...rest: unknown[]];

/**
 * The names of the commands that block, as the server flags them; subcommands as `container|subcommand`. None where the server does not
 * want to tell.
 * @throws what keeps the server from answering
 */
export async function blockingCommandsOf(client: RedisConnection): Promise<string[]> {
  try {
    return (await client.call('COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', 'blocking')) as string[];
  } catch (error) {
    return unlessRefused(error, () => flaggedCommandsOf(client));
  }
}

/** For servers older than Redis 7. */
async function flaggedCommandsOf(client: RedisConnection): Promise<string[]> {
  try {
    const entries = (await client.call('COMMAND')) as CommandEntry[];
    return entries.filter(isFlagged).map(([name]) => name);
  } catch (error) {
    return unlessRefused(error, () => []);
  }
}

const isFlagged = (entry: CommandEntry): boolean => {
  const marks = [entry[2], entry[6]].flat();
  return marks.includes('blocking') || marks.includes('@blocking');
};

function unlessRefused<R>(error: unknown, otherwise: () => R): R {
  if (error instanceof ReplyError) return otherwise();
  throw error;
}
