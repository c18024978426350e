import { wordOf } from '../commands/command-rules.js';

/** A command as it goes to the server. */
export type Line = readonly [name: string, ...args: (string | Buffer)[]];

/** What a connection is like before its first holder. */
export interface Origin {
  readonly db: number;
  readonly name: string;
  readonly readOnly: boolean;
}

/** What is different from that, each with the command that puts it right. */
export type Differences = Map<string, Line>;

/** What a command does to the connection that it succeeded on. */
export type Effect = (now: Differences, args: readonly unknown[], origin: Origin) => void;

const EFFECTS: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  ['select', (now, [db], { db: home }) => differs(now, Number(db) !== home, 'db', ['select', String(home)])],
  ['watch', (now) => differs(now, true, 'watch', ['unwatch'])],
  ['unwatch', (now) => now.delete('watch')],
  ['readonly', (now, _, { readOnly }) => differs(now, !readOnly, 'readonly', ['readwrite'])],
  ['readwrite', (now, _, { readOnly }) => differs(now, readOnly, 'readonly', ['readonly'])],
  ['client setname', (now, [name], { name: home }) => named(now, String(name), home)],
  ['client tracking', switching('tracking')],
  ['client no-evict', switching('no-evict')],
  ['client no-touch', switching('no-touch')],
  ['client caching', () => undefined], // a part of tracking, and gone with it
  ...['', 'p', 's'].flatMap((kind): [string, Effect][] => [
    [`${kind}subscribe`, subscribing(kind)],
    [`${kind}unsubscribe`, unsubscribing(kind)],
  ]),
]);

/** The effect of a command that is known to change a connection; nothing where it is not known how to undo that. */
export function effectOf(name: string, args: readonly unknown[]): Effect | undefined {
  if (name !== 'client') return EFFECTS.get(name);
  const effect = EFFECTS.get(`client ${wordOf(args[0])}`);
  return effect && ((now, [, ...rest], origin) => effect(now, rest, origin));
}

/** The server answers nothing sensible to these, and perhaps never anything again. */
export const isSilent = (name: string, [subcommand]: readonly unknown[]): boolean =>
  name === 'sync' || name === 'psync' || (name === 'client' && wordOf(subcommand) === 'reply');

function differs(now: Differences, isDifferent: boolean, what: string, undo: Line): void {
  if (isDifferent) now.set(what, undo);
  else now.delete(what);
}

function named(now: Differences, name: string, home: string): void {
  differs(now, name !== home, 'name', ['client', 'setname', home]);
}

function switching(what: string): Effect {
  return (now, [value]) => differs(now, wordOf(value) === 'on', what, ['client', what, 'off']);
}

function subscribing(kind: string): Effect {
  return (now, channels) => {
    for (const channel of channels as (string | Buffer)[])
      now.set(channelOf(kind, channel), [`${kind}unsubscribe`, channel]);
  };
}

function unsubscribing(kind: string): Effect {
  return (now, channels) => {
    const all = [...now.keys()].filter((what) => what.startsWith(channelOf(kind, '')));
    const named = (channels as (string | Buffer)[]).map((channel) => channelOf(kind, channel));
    for (const what of channels.length > 0 ? named : all) now.delete(what);
  };
}

/** Byte for byte, whether it was given as text or not. */
const channelOf = (kind: string, channel: string | Buffer): string =>
  `${kind}subscribe ${Buffer.from(channel as string).toString('latin1')}`;
