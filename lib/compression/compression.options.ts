import { availableParallelism } from 'node:os';
import {
  integer,
  isObject,
  oneOf,
  optionProblems,
  type OptionRule,
  type OptionRules,
} from '../core/option-rules.js';
import { PoolOptionsError } from '../core/pool.errors.js';
import {
  limitProblems,
  POOL_DEFAULTS,
  POOL_OPTION_RULES,
  withDefaults,
  type PoolOptions,
} from '../core/pool.options.js';
import type { Codec } from './codec.js';
import { codecOf, CODECS, isAlgorithm, type CompressionAlgorithm } from './codecs.js';
import { zstdProblem } from './zstd.codec.js';

/**
 * What a compression pool can be told.
 *
 * @publicApi
 */
export interface CompressionPoolOptions extends PoolOptions {
  type: 'compression';
  /** `zstd` needs Node 22.15 or later, of the 23 line 23.8 or later. Anything else can be plugged in as a {@link Codec}. */
  algorithm: CompressionAlgorithm | Codec;
  /**
   * How hard to compress. gzip, deflate and deflate-raw: 0 to 9, default 6 (also as -1); brotli: 0 to 11, default 4;
   * zstd: -131,072 to 22, default 3.
   */
  level?: number;
  /** What one `decompress()` may yield, in bytes; it is stopped when it passes this. Default 268,435,456 (256 MiB). */
  maxOutputBytes?: number;
  /**
   * Contexts that may exist at once. Default: what the machine can do in parallel. zlib works in libuv's threads, of which zlib, fs
   * and dns share 4: more contexts than that work no faster unless `UV_THREADPOOL_SIZE` is raised with them.
   */
  max?: number;
}

/** What a compression pool is made of, after checking. */
export interface CompressionPoolParts {
  readonly codec: Codec;
  readonly level: number | undefined;
  readonly maxOutputBytes: number;
  /** What every pool can be told. */
  readonly pool: PoolOptions;
}

const DEFAULT_MAX_OUTPUT_BYTES = 268_435_456;

export const MAX_OUTPUT_BYTES_RULE = integer(0);

const WANTED_ALGORITHM = `one of ${Object.keys(CODECS).join(', ')}, or a Codec`;

/** Every problem of the options, a sentence each. */
export function compressionOptionProblems(options: object): string[] {
  const algorithm: unknown = isObject(options) ? options.algorithm : undefined;
  const problems = [...optionProblems(options, rulesFor(algorithm)), ...algorithmProblems(algorithm)];
  return problems.length > 0 ? problems : limitProblems(poolOptionsOf(options));
}

/**
 * Checks what was given and fills in the defaults.
 * @throws {PoolOptionsError} names every problem at once
 */
export function resolveCompressionPoolOptions(
  name: string,
  options: CompressionPoolOptions,
): CompressionPoolParts {
  const problems = compressionOptionProblems(options);
  if (problems.length > 0) throw new PoolOptionsError(name, problems);
  const { algorithm, level, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES } = options;
  return { codec: codecOf(algorithm), level, maxOutputBytes, pool: poolOptionsOf(options) };
}

function poolOptionsOf(options: object): PoolOptions {
  return withDefaults({ ...POOL_DEFAULTS, max: availableParallelism() }, options);
}

function rulesFor(algorithm: unknown): OptionRules<CompressionPoolOptions> {
  return {
    ...POOL_OPTION_RULES,
    type: oneOf('compression'),
    algorithm: (value) => (isAlgorithm(value) ? undefined : WANTED_ALGORITHM),
    level: isAlgorithm(algorithm) ? levelOf(codecOf(algorithm)) : () => undefined,
    maxOutputBytes: MAX_OUTPUT_BYTES_RULE,
  };
}

function levelOf({ name, levels }: Codec): OptionRule {
  return levels === undefined ? () => `left out, for ${name} has no levels` : integer(...levels);
}

/** What no rule for a value sees: that there is none, or that this Node cannot do it. */
function algorithmProblems(algorithm: unknown): string[] {
  if (algorithm === undefined) return [`algorithm must be ${WANTED_ALGORITHM}, got undefined`];
  const problem = algorithm === 'zstd' ? zstdProblem() : undefined;
  return problem === undefined ? [] : [problem];
}
