import { wordOf } from './command-rules.js';

/** Where a command says how long it blocks at most, and in what unit. */
type Place = (args: readonly unknown[]) => { readonly time: unknown; readonly unitMs: number };

const lastInSeconds: Place = (args) => ({ time: args.at(-1), unitMs: 1_000 });
const firstInSeconds: Place = ([time]) => ({ time, unitMs: 1_000 });
const lastInMs: Place = (args) => ({ time: args.at(-1), unitMs: 1 });
const behindBlock: Place = (args) => ({
  time: args[args.findIndex((arg) => wordOf(arg) === 'block') + 1],
  unitMs: 1,
});

const PLACES: ReadonlyMap<string, Place> = new Map([
  ...['blpop', 'brpop', 'brpoplpush', 'blmove', 'bzpopmin', 'bzpopmax'].map(
    (name) => [name, lastInSeconds] as const,
  ),
  ...['blmpop', 'bzmpop'].map((name) => [name, firstInSeconds] as const),
  ...['wait', 'waitaof'].map((name) => [name, lastInMs] as const),
  ...['xread', 'xreadgroup'].map((name) => [name, behindBlock] as const),
]);

/** How long a command that blocks says it does at most, in milliseconds; Infinity where it blocks for ever, or that is not known. */
export function blockTimeOf(name: string, args: readonly unknown[]): number {
  const { time, unitMs } = PLACES.get(name.toLowerCase())?.(args) ?? { time: 0, unitMs: 1 };
  const ms = (typeof time === 'number' ? time : Number(wordOf(time))) * unitMs;
  return ms > 0 ? ms : Infinity;
}
