/** Looks at one value; returns what is wanted instead ("an integer >= 1"), or nothing when the value will do. */
export type OptionRule = (value: unknown) => string | undefined;

/** One rule for each option that exists; a key without a rule is unknown. */
export type OptionRules<Options> = { readonly [Key in keyof Required<Options>]: OptionRule };

/** Node's timers fire at once beyond this. */
const LONGEST_TIMER_MS = 2_147_483_647;

export const integer =
  (least: number, most = Number.MAX_SAFE_INTEGER): OptionRule =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `an integer ${most === Number.MAX_SAFE_INTEGER ? `>= ${least}` : `from ${least} to ${most}`}`;

/** A duration; `zero` says what 0 means ("off"), where it may be given. */
export const milliseconds =
  (zero?: string): OptionRule =>
  (value) => {
    const least = zero === undefined ? 1 : 0;
    const fits = typeof value === 'number' && value >= least && value <= LONGEST_TIMER_MS;
    return fits
      ? undefined
      : `milliseconds from ${least}${zero === undefined ? '' : ` (${zero})`} to ${LONGEST_TIMER_MS}`;
  };

export const oneOf =
  (...allowed: readonly unknown[]): OptionRule =>
  (value) =>
    allowed.includes(value) ? undefined : `one of ${allowed.map((each) => JSON.stringify(each)).join(', ')}`;

export const trueOrFalse: OptionRule = (value) => (typeof value === 'boolean' ? undefined : 'true or false');

export const functionOf =
  (signature: string): OptionRule =>
  (value) =>
    typeof value === 'function' ? undefined : `a function ${signature}`;

export const plainObject =
  (what: string): OptionRule =>
  (value) =>
    isObject(value) ? undefined : what;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Every problem of `options`, a sentence each. An option that is `undefined` counts as not given.
 * What was given is shown only where it cannot be a secret: numbers, booleans, and strings that had to be one of a few words.
 */
export function optionProblems<Options>(options: unknown, rules: OptionRules<Options>): string[] {
  if (!isObject(options)) return [`the options must be an object, got ${describe(options)}`];
  const known = rules as Record<string, OptionRule>;
  return Object.entries(options).flatMap(([key, value]) => {
    const rule = Object.hasOwn(known, key) ? known[key] : undefined;
    if (rule === undefined) return [`unknown option "${key}"${suggestion(key, Object.keys(known))}`];
    const wanted = value === undefined ? undefined : rule(value);
    return wanted === undefined
      ? []
      : [`${key} must be ${wanted}, got ${describe(value, wanted.startsWith('one of'))}`];
  });
}

function describe(value: unknown, stringsAreHarmless = false): string {
  if (typeof value === 'string') return stringsAreHarmless ? JSON.stringify(value) : 'a string';
  if (value === null || ['number', 'boolean', 'undefined', 'bigint'].includes(typeof value))
    return String(value);
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Names the option that was probably meant: the same but for case, unit or a few letters. */
function suggestion(key: string, known: readonly string[]): string {
  if (key === '') return '';
  const plain = (name: string) => name.toLowerCase().replace(/(ms|millis|timeout)$/, '');
  const meant = known.find(
    (each) => plain(each) === plain(key) || each.toLowerCase().startsWith(key.toLowerCase()),
  );
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}
