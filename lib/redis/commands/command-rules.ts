/**
 * How a command gets on with the connection that it is sent on: `ordinary` shares it with anybody, `blocking` keeps everybody behind
 * it waiting, `stateful` changes the connection itself for whoever comes next.
 */
export type CommandKind = 'ordinary' | 'blocking' | 'stateful';

/** For a command whose arguments decide. */
type Judge = (args: readonly unknown[]) => CommandKind;

const BLOCKING = 'blpop brpop brpoplpush blmove blmovem blmpop bzpopmin bzpopmax bzmpop wait waitaof';

const STATEFUL =
  'select watch unwatch multi exec discard subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe ' +
  'monitor auth hello reset quit readonly readwrite asking sync psync replconf';

/** What these ask or do concerns the server, or other connections. */
const HARMLESS_CLIENT = new Set([
  'id',
  'info',
  'list',
  'getname',
  'getredir',
  'trackinginfo',
  'kill',
  'pause',
  'unpause',
  'unblock',
  'help',
]);

const RULES: ReadonlyMap<string, CommandKind | Judge> = new Map<string, CommandKind | Judge>([
  ...BLOCKING.split(' ').map((name) => [name, 'blocking'] as const),
  ...STATEFUL.split(' ').map((name) => [name, 'stateful'] as const),
  ['client', ([subcommand]) => (HARMLESS_CLIENT.has(wordOf(subcommand)) ? 'ordinary' : 'stateful')],
  ['script', ([subcommand]) => (wordOf(subcommand) === 'debug' ? 'stateful' : 'ordinary')],
  // A fieldset that was prepared is known to its connection alone.
  ['himport', ([subcommand]) => (wordOf(subcommand) === 'set' ? 'ordinary' : 'stateful')],
  ['xread', judgeStreamRead],
  ['xreadgroup', judgeStreamRead],
]);

/** The command is of one kind whatever its arguments are, or nothing when they decide. */
export function fixedKindOf(name: string): CommandKind | undefined {
  const rule = RULES.get(name) ?? 'ordinary';
  return typeof rule === 'string' ? rule : undefined;
}

/** The command is not simply ordinary, whatever a server says of it. */
export const hasRule = (name: string): boolean => RULES.has(name);

/** `args` are flat, as they go to the server; the name is matched in any case. */
export function kindOf(name: string, args: readonly unknown[]): CommandKind {
  const rule = RULES.get(name.toLowerCase()) ?? 'ordinary';
  return typeof rule === 'string' ? rule : rule(args);
}

/** The name of a command as it is spoken of: with its subcommand where that is what matters, and never with other arguments. */
export function titleOf(name: string, [subcommand]: readonly unknown[]): string {
  const isContainer = typeof RULES.get(name.toLowerCase()) === 'function';
  return `${name} ${isContainer ? wordOf(subcommand) : ''}`.trim().toUpperCase();
}

/** Looks for BLOCK where options stand: neither in the name of a group or consumer nor behind STREAMS, where keys stand. */
function judgeStreamRead(args: readonly unknown[]): CommandKind {
  for (let at = 0; at < args.length; at += 1) {
    const word = wordOf(args[at]);
    if (word === 'block') return 'blocking';
    if (word === 'streams') return 'ordinary';
    if (word === 'group') at += 2;
  }
  return 'ordinary';
}

/** A keyword as the server reads it. */
export function wordOf(argument: unknown): string {
  return typeof argument === 'string' || Buffer.isBuffer(argument) ? argument.toString().toLowerCase() : '';
}
