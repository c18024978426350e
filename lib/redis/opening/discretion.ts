import { ReplyError, type Command, type Redis } from 'ioredis';

/** Commands whose arguments may hold a password. */
const CONFIDENTIAL = new Set(['auth', 'hello', 'acl', 'config', 'migrate', 'sentinel']);

/** Where the server repeats what it was sent. */
const ECHOES = [/, with args beginning with:.*$/s, / modifier '.*'/s];

/**
 * Keeps passwords out of the errors of a client. ioredis hangs the command with all its arguments on an error, those of its own
 * AUTH and HELLO included, and fails whatever waits with that same error.
 */
export function keepDiscreet(client: Redis): void {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    if (CONFIDENTIAL.has(command.name.toLowerCase())) concealArguments(command);
    return send(command, stream);
  };
}

function concealArguments(command: Command): void {
  const { reject } = command;
  command.reject = (error) => reject(discreet(error, command.name));
}

function discreet(error: Error, name: string): Error {
  const message = ECHOES.reduce((text, echo) => text.replace(echo, ''), error.message);
  if (message === error.message && !('command' in error)) return error;
  const quiet = message === error.message ? error : new QuietReplyError(message);
  return Object.assign(quiet, { command: { name, args: [] } });
}

const QuietReplyError = ReplyError as new (message: string) => Error;
