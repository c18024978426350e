import type { Command, Redis } from 'ioredis';
import type { Messenger } from './other-connections.js';
import { settles, within } from '../within.js';

/** Between two tries: an UNBLOCK can overtake the command that it is meant for. */
const PAUSE_MS = { first: 1, longest: 50 };

/**
 * What there is time for in any case. When it is over although there were fewer tries, this process was too busy to make them; and what
 * the server delivers to a connection that is closed then is lost.
 */
const LEAST = { tries: 3, ms: 50 };

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
  let pauseMs = PAUSE_MS.first;
  for (let tries = 1; ; tries += 1) {
    const commands = blockedCommands(client, blocks);
    const [first] = commands;
    if (first === undefined) return;
    for (const command of commands.filter((one) => !replaced.has(one))) {
      replaceRejection(command, reason);
      replaced.add(command);
    }
    const msLeft = Math.max(giveUpAt - performance.now(), LEAST.ms);
    const isHeard = await messenger.tell(['CLIENT', 'UNBLOCK', number, 'ERROR'], msLeft);
    pauseMs = (await settles(Promise.allSettled([first.promise]), pauseMs))
      ? PAUSE_MS.first
      : Math.min(PAUSE_MS.longest, pauseMs * 2);
    const isTimeOver = performance.now() >= giveUpAt;
    if (!isHeard || (isTimeOver && tries >= LEAST.tries)) return;
  }
}

/** What the server says to a command that was unblocked means nothing to those who sent it. */
function replaceRejection(command: Command, reason: unknown): void {
  const { reject } = command;
  command.reject = (error) => reject(error.message.startsWith('UNBLOCKED ') ? (reason as Error) : error);
}

const tooLate = (): Error => new Error('no answer in time');
