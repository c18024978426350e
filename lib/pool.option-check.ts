import {
  functionOf,
  isObject,
  milliseconds,
  oneOf,
  optionProblems,
  trueOrFalse,
  type OptionRule,
  type OptionRules,
} from './core/option-rules.js';
import { PoolOptionsError } from './core/pool.errors.js';
import type { PoolModuleAsyncOptions, PoolModuleOptions } from './pool.options.js';
import { poolProblems } from './pool.providers.js';

const WAYS_TO_GIVE_OPTIONS = ['useFactory', 'useClass', 'useExisting'] as const;

const array: OptionRule = (value) => (Array.isArray(value) ? undefined : 'an array');

const REGISTRATION_RULES: OptionRules<PoolModuleAsyncOptions> = {
  pools: (value) => (Array.isArray(value) ? undefined : 'an array of names'),
  isGlobal: trueOrFalse,
  imports: array,
  inject: array,
  extraProviders: array,
  provideInjectionTokensFrom: array,
  useFactory: functionOf('that returns the options'),
  useClass: functionOf('that is a class with create()'),
  useExisting: () => undefined,
};

const SHUTDOWN_RULES: OptionRules<NonNullable<PoolModuleOptions['shutdown']>> = {
  drainTimeoutMs: milliseconds(),
};

const MODULE_RULES: OptionRules<PoolModuleOptions> = {
  pools: (value) => (isObject(value) ? undefined : 'an object with the options of each pool by its name'),
  startup: oneOf('require', 'warn', 'lazy'),
  startupTimeoutMs: milliseconds(),
  shutdown: (value) => (isObject(value) ? undefined : 'an object'),
};

/**
 * Checks what a `for…Async` method was given.
 * @throws {PoolOptionsError} names every problem at once
 */
export function checkRegistration(given: unknown): void {
  const problems = optionProblems(given, REGISTRATION_RULES);
  const ways = WAYS_TO_GIVE_OPTIONS.filter((way) => isObject(given) && given[way] !== undefined);
  if (ways.length !== 1) {
    const found = ways.length === 0 ? 'none' : ways.join(' and ');
    problems.push(`give exactly one of useFactory, useClass and useExisting, got ${found}`);
  }
  if (problems.length > 0) throw new PoolOptionsError('', problems);
}

/**
 * Checks what came for the pools that were declared, before anything is opened.
 * @throws {PoolOptionsError} names every problem of every pool at once
 */
export function checkModuleOptions(
  declared: readonly string[],
  taken: ReadonlySet<string>,
  given: unknown,
): PoolModuleOptions {
  const problems = [...nameProblems(declared, taken), ...optionProblems(given, MODULE_RULES)];
  const { pools, shutdown } = isObject(given) ? given : {};
  if (isObject(shutdown))
    problems.push(...optionProblems(shutdown, SHUTDOWN_RULES).map((problem) => `shutdown: ${problem}`));
  if (isObject(pools)) problems.push(...poolsProblems(declared, pools));
  else if (isObject(given) && pools === undefined)
    problems.push('pools is missing: the options of each pool by its name');
  if (problems.length > 0) throw new PoolOptionsError('', problems);
  return given as PoolModuleOptions;
}

function nameProblems(declared: readonly string[], taken: ReadonlySet<string>): string[] {
  return declared.flatMap((name, at) => {
    if (typeof name !== 'string' || name === '')
      return ['the name of a pool must be a string that is not empty'];
    if (declared.indexOf(name) !== at) return [`pool "${name}" is declared twice`];
    return taken.has(name) ? [`pool "${name}" is registered already, by another forRoot or forFeature`] : [];
  });
}

function poolsProblems(declared: readonly string[], pools: Record<string, unknown>): string[] {
  const undeclared = Object.keys(pools).filter((name) => !declared.includes(name));
  return [
    ...undeclared.map(
      (name) => `pool "${name}" has options but was not declared; add it to "pools" beside the factory`,
    ),
    ...[...new Set(declared)].flatMap((name) => {
      if (pools[name] === undefined) return [`pool "${name}" was declared but has no options`];
      return poolProblems(name, pools[name]).map((problem) => `pool "${name}": ${problem}`);
    }),
  ];
}
