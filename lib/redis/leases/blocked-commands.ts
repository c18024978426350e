import type { Command, Redis } from 'ioredis';
import type { Messenger } from './other-connections.js';
import { within } from '../within.js';

/** Between two tries: an UNBLOCK can overtake the command that it is meant for. */
const PAUSE_MS = { first: 1, longest: 50 };

/** Commands that wait for their replies and may block what is behind them for as long as they like. */
export function blockedCommands({ commandQueue }: Redis, blocks: (command: Command) => boolean): Command[] {
  if (commandQueue.length === 0) return [];
  const sent = commandQueue.toArray().map(({ command }) => command as Command);
  return sent.filter(blocks);
}

interface Unblocking {
  /** What the server calls the connection; rejected where it would not say. */
  readonly id: Promise<unknown>;
  readonly blocks: (command: Command) => boolean;
  readonly messenger: Messenger;
  /** What the commands that are ended are rejected with. */
  readonly reason: unknown;
  readonly timeoutMs: number;
}

/**
 * Ends the commands that block a connection, one after the other, by word from another connection. What the server has delivered by
 * then is delivered. Goes on until none is left, the time is over or the server does not listen; never rejects.
 */
export async function unblock(
  client: Redis,
  { id, blocks, messenger, reason, timeoutMs }: Unblocking,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  const number = await within(id, { ms: timeoutMs, late: tooLate }).then(String, () => undefined);
  if (number === undefined) return;
  const replaced = new WeakSet<Command>();
  let isHeard = true;
  let pauseMs = PAUSE_MS.first;
  for (;;) {
    const commands = blockedCommands(client, blocks);
    const msLeft = giveUpAt - performance.now();
    const [first] = commands;
    if (first === undefined || msLeft <= 0 || !isHeard) return;
    for (const command of commands) if (!replaced.has(command)) replaceRejection(command, reason);
    for (const command of commands) replaced.add(command);
    isHeard = await messenger.tell(['CLIENT', 'UNBLOCK', number, 'ERROR'], msLeft);
    pauseMs = (await settles(first, pauseMs)) ? PAUSE_MS.first : Math.min(PAUSE_MS.longest, pauseMs * 2);
  }
}

/** What the server says to a command that was unblocked means nothing to those who sent it. */
function replaceRejection(command: Command, reason: unknown): void {
  const { reject } = command;
  command.reject = (error) => reject(error.message.startsWith('UNBLOCKED ') ? (reason as Error) : error);
}

function settles({ promise }: Command, ms: number): Promise<boolean> {
  return within(Promise.allSettled([promise]), { ms, late: tooLate }).then(
    () => true,
    () => false,
  );
}

const tooLate = (): Error => new Error('no answer in time');
