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
import { zstdDictionaryProblem, zstdProblem } from './zstd.codec.js';

/** While one context waits for the event loop to hand it its next input, a core would have nothing to do. */
const DEFAULT_MAX = availableParallelism() + 2;

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
  /**
   * What inputs are likely to share, such as `trainDictionary()` makes; it makes small ones several times smaller. For deflate,
   * deflate-raw (of which the last 32 KiB count) and zstd (Node 22.19, 24.6 or later). Whatever was compressed with it is decompressed
   * with it alone: another one is an error, except for deflate-raw, which has no checksum to find out by.
   */
  dictionary?: Uint8Array;
  /**
   * What one `decompress()` may yield, in bytes; it is stopped when it passes this. Default 268,435,456 (256 MiB). For streams, which keep
   * nothing in memory, there is no limit unless it is given.
   */
  maxOutputBytes?: number;
  /** What one call may be given, in bytes; a larger input is refused at once. Default 0: as much as zlib takes, which is 4 GiB. */
  maxInputBytes?: number;
  /**
   * What the inputs of all calls that wait or run may have together, in bytes; a call beyond is refused at once. One input that is
   * larger by itself is worked on, but only while there is no other. Default 268,435,456 (256 MiB); 0 switches it off.
   */
  maxQueuedBytes?: number;
  /**
   * Has a large input, or stream, compressed in blocks by all contexts that are free, where the algorithm's outputs can be joined: gzip, and
   * zstd in blocks of at least 4 MiB. They give way to callers who wait whenever a block is done. `false` switches it off, which is the
   * default for zstd: Node's own zlib takes the first of several frames for all (nodejs/node#64741); `{}` switches it on there.
   */
  parallel?: ParallelOptions | false;
  /**
   * Contexts that may exist at once. Default: two more than the machine can do in parallel, so that no core waits for its next input.
   * zlib works in libuv's threads, of which zlib, fs and dns share 4: more contexts than that work no faster unless
   * `UV_THREADPOOL_SIZE` is raised with them.
   */
  max?: number;
}

/**
 * How large inputs are cut.
 *
 * @publicApi
 */
export interface ParallelOptions {
  /** Inputs of more bytes are cut. Default 4,194,304 (4 MiB). */
  aboveBytes?: number;
  /** Blocks have at least so many bytes, but for the last one. Smaller ones keep others waiting for less time and make the output larger. Default 524,288 (512 KiB). */
  blockBytes?: number;
}

/** What bounds the memory of a compression pool, in bytes. */
export interface CompressionLimits {
  readonly maxOutputBytes: number;
  /** As `maxOutputBytes`, for one stream. */
  readonly maxStreamBytes: number;
  readonly maxInputBytes: number;
  readonly maxQueuedBytes: number;
}

/** Inputs above a size are compressed in blocks of another. */
export interface BlockSizes {
  readonly aboveBytes: number;
  readonly blockBytes: number;
}

/** What a compression pool is made of, after checking. */
export interface CompressionPoolParts {
  readonly codec: Codec;
  readonly level: number | undefined;
  readonly dictionary: Uint8Array | undefined;
  readonly limits: CompressionLimits;
  readonly blocks: BlockSizes;
  /** What every pool can be told. */
  readonly pool: PoolOptions;
}

const DEFAULT_LIMITS: CompressionLimits = {
  maxOutputBytes: 268_435_456,
  maxStreamBytes: Infinity,
  maxInputBytes: 0,
  maxQueuedBytes: 268_435_456,
};

const DEFAULT_BLOCKS: BlockSizes = { aboveBytes: 4_194_304, blockBytes: 524_288 };

export const MAX_OUTPUT_BYTES_RULE = integer(0);

/** Below this the wrapping of each block, and the trip to a thread, cost more than two contexts gain. */
const MIN_BLOCK_BYTES = 16_384;

const WANTED_PARALLEL = `false, or { aboveBytes, blockBytes } with integers >= 0 and >= ${MIN_BLOCK_BYTES}`;

const WANTED_ALGORITHM = `one of ${Object.keys(CODECS).join(', ')}, or a Codec`;

/** Every problem of the options, a sentence each. */
export function compressionOptionProblems(options: object): string[] {
  const given = isObject(options) ? options : {};
  const problems = [...optionProblems(options, rulesFor(given.algorithm)), ...algorithmProblems(given)];
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
  const { algorithm, level } = options;
  const dictionary = options.dictionary && Uint8Array.from(options.dictionary); // the caller's may change
  const limits = withDefaults(DEFAULT_LIMITS, { ...options, maxStreamBytes: options.maxOutputBytes });
  const codec = codecOf(algorithm);
  return { codec, level, dictionary, limits, blocks: blocksOf(codec, options), pool: poolOptionsOf(options) };
}

function blocksOf(
  { leastBlockBytes, joinsOnRequest = false }: Codec,
  options: CompressionPoolOptions,
): BlockSizes {
  const { parallel = joinsOnRequest ? false : {} } = options;
  if (leastBlockBytes === undefined || parallel === false)
    return { aboveBytes: Infinity, blockBytes: Infinity };
  const { aboveBytes, blockBytes } = withDefaults(DEFAULT_BLOCKS, parallel);
  return { aboveBytes, blockBytes: Math.max(blockBytes, leastBlockBytes) };
}

function poolOptionsOf(options: object): PoolOptions {
  return withDefaults({ ...POOL_DEFAULTS, max: DEFAULT_MAX }, options);
}

function rulesFor(algorithm: unknown): OptionRules<CompressionPoolOptions> {
  return {
    ...POOL_OPTION_RULES,
    type: oneOf('compression'),
    algorithm: (value) => (isAlgorithm(value) ? undefined : WANTED_ALGORITHM),
    level: isAlgorithm(algorithm) ? levelOf(codecOf(algorithm)) : () => undefined,
    dictionary: isAlgorithm(algorithm) ? dictionaryOf(codecOf(algorithm)) : () => undefined,
    maxOutputBytes: MAX_OUTPUT_BYTES_RULE,
    maxInputBytes: integer(0),
    maxQueuedBytes: integer(0),
    parallel: (value) => (isParallel(value) ? undefined : WANTED_PARALLEL),
  };
}

const PARALLEL_RULES: OptionRules<ParallelOptions> = {
  aboveBytes: integer(0),
  blockBytes: integer(MIN_BLOCK_BYTES),
};

const isParallel = (value: unknown) => value === false || optionProblems(value, PARALLEL_RULES).length === 0;

function levelOf({ name, levels }: Codec): OptionRule {
  return levels === undefined ? () => `left out, for ${name} has no levels` : integer(...levels);
}

function dictionaryOf({ name, takesDictionary }: Codec): OptionRule {
  if (takesDictionary !== true)
    return () => `left out, for ${name} takes none; deflate, deflate-raw and zstd do`;
  const isUsable = (value: unknown) => value instanceof Uint8Array && value.length > 0;
  return (value) => (isUsable(value) ? undefined : 'a Uint8Array (such as a Buffer) that is not empty');
}

/** What no rule for a value sees: that there is none, or that this Node cannot do it. */
function algorithmProblems({ algorithm, dictionary }: Record<string, unknown>): string[] {
  if (algorithm === undefined) return [`algorithm must be ${WANTED_ALGORITHM}, got undefined`];
  if (algorithm !== 'zstd') return [];
  const problem = zstdProblem() ?? (dictionary === undefined ? undefined : zstdDictionaryProblem());
  return problem === undefined ? [] : [problem];
}
