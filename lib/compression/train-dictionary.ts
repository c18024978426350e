import { integer, optionProblems, type OptionRules } from '../core/option-rules.js';
import { PoolError, PoolOptionsError } from '../core/pool.errors.js';
import { byteLengthOf, bytesOf, type Bytes } from './input-bytes.js';
import { joined } from './own-memory.js';

/**
 * How a dictionary is trained.
 *
 * @publicApi
 */
export interface TrainDictionaryOptions {
  /** The dictionary has at most so many bytes. Default 32,768: all that deflate can look back to. At least 256. */
  maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 32_768;
const RULES: OptionRules<TrainDictionaryOptions> = { maxBytes: integer(256) };

/** Shorter repetitions gain next to nothing. */
const GRAM_BYTES = 8;

/** What is taken from a sample at a time: long enough for the frame of a record, short enough that every kind of record has its place. */
const SEGMENT_BYTES = 256;

/** As many grams begin in a segment. */
const SEGMENT_GRAMS = SEGMENT_BYTES - GRAM_BYTES + 1;

/**
 * Makes a dictionary from samples of what will be compressed (a few hundred are enough): the pieces of them that most samples share, the
 * most common last. It is raw content, as every zstd and zlib takes it: no header, no entropy tables and no id. Give it to every pool that
 * compresses or decompresses such data, and keep it as long as there is data compressed with it.
 *
 * It runs at once and blocks the event loop for about a second for ten megabytes of samples: do it in a script, and ship the result.
 *
 * @publicApi
 * @throws {PoolOptionsError} the options make no sense
 * @throws {CompressionError} a sample is no bytes
 * @throws {PoolError} `ERR_POOL_DICTIONARY`: the samples have nothing in common
 * @example
 * writeFileSync('orders.dictionary', trainDictionary(orders.map((order) => JSON.stringify(order)), { maxBytes: 16_384 }));
 */
export function trainDictionary(
  samples: readonly (string | Bytes)[],
  options: TrainDictionaryOptions = {},
): Buffer {
  const problems = optionProblems(options, RULES);
  if (problems.length > 0) throw new PoolOptionsError('', problems);
  const { maxBytes = DEFAULT_MAX_BYTES } = options;
  for (const sample of samples) byteLengthOf(sample, ''); // refuses what is none
  const segments = new Corpus(samples.map(bytesOf)).commonSegments(maxBytes);
  if (segments.length === 0)
    throw new PoolError(
      'ERR_POOL_DICTIONARY',
      '',
      'the samples have nothing in common, so no dictionary helps',
    );
  return joined(segments.reverse());
}

/** The samples one behind another, and how many of them share each gram (a string of eight bytes), by its hash. */
class Corpus {
  readonly #bytes: Buffer;
  /** The hash of the gram that begins at each place; 0 where none does. */
  readonly #grams: Uint32Array;
  /** How many other samples have the gram, until the dictionary has it. */
  readonly #worth: Uint32Array;

  constructor(samples: readonly Uint8Array[]) {
    this.#bytes = joined(samples);
    this.#grams = new Uint32Array(this.#bytes.length);
    const hashBits = Math.min(24, Math.max(12, Math.ceil(Math.log2(this.#bytes.length + 1)) + 1));
    this.#worth = new Uint32Array(2 ** hashBits);
    this.#countGrams(samples, 32 - hashBits);
  }

  #countGrams(samples: readonly Uint8Array[], shift: number): void {
    const lastSample = new Uint32Array(this.#worth.length);
    let start = 0;
    samples.forEach((sample, index) => {
      for (let at = start; at <= start + sample.length - GRAM_BYTES; at++) {
        const gram = this.#hash(at, shift);
        this.#grams[at] = gram;
        const before = lastSample[gram];
        if (before !== 0 && before !== index + 1) this.#worth[gram]! += 1;
        lastSample[gram] = index + 1;
      }
      start += sample.length;
    });
    this.#worth[0] = 0;
  }

  #hash(at: number, shift: number): number {
    const low = Math.imul(this.#bytes.readInt32LE(at), 0x9e3779b1);
    const high = Math.imul(this.#bytes.readInt32LE(at + 4), 0x85ebca6b);
    return Math.imul(low ^ (high >>> 15) ^ high, 0xc2b2ae35) >>> shift;
  }

  /**
   * Segments worth the most, the best of each stretch of the corpus in turn, until they fill `maxBytes` or nothing is left that samples
   * share. What one segment has counts for no other.
   */
  commonSegments(maxBytes: number): Uint8Array[] {
    const stretches = Math.max(1, Math.floor(maxBytes / SEGMENT_BYTES));
    const stretchBytes = Math.max(SEGMENT_BYTES, Math.ceil(this.#bytes.length / stretches));
    const segments: Uint8Array[] = [];
    for (let free = maxBytes, foundOne = true; foundOne && free > 0;) {
      foundOne = false;
      for (let start = 0; start < this.#bytes.length && free > 0; start += stretchBytes) {
        const segment = this.#takeBest(start, Math.min(this.#bytes.length, start + stretchBytes)).subarray(
          -free,
        );
        if (segment.length < GRAM_BYTES) continue;
        segments.push(segment);
        free -= segment.length;
        foundOne = true;
      }
    }
    return segments;
  }

  /** The segment between two places that is worth the most; empty if none is worth anything. */
  #takeBest(start: number, end: number): Uint8Array {
    const window = new GramWindow(this.#worth);
    let [best, bestStart] = [0, start];
    for (let at = start; at < end; at++) {
      window.enter(this.#grams[at]!);
      if (at - SEGMENT_GRAMS >= start) window.leave(this.#grams[at - SEGMENT_GRAMS]!);
      if (window.worth > best) [best, bestStart] = [window.worth, Math.max(start, at - SEGMENT_GRAMS + 1)];
    }
    if (best === 0) return this.#bytes.subarray(0, 0);
    return this.#take(bestStart, Math.min(end, bestStart + SEGMENT_GRAMS));
  }

  /** Takes the grams from one place to another, without those at either end that are worth nothing. */
  #take(start: number, end: number): Uint8Array {
    let [first, last] = [start, end - 1];
    while (first < last && this.#worth[this.#grams[first]!] === 0) first++;
    while (last > first && this.#worth[this.#grams[last]!] === 0) last--;
    for (let at = first; at <= last; at++) this.#worth[this.#grams[at]!] = 0;
    return this.#bytes.subarray(first, last + GRAM_BYTES);
  }
}

/** Grams that lie side by side, and what they are worth together: each kind once. */
class GramWindow {
  worth = 0;
  readonly #worthOf: Uint32Array;
  readonly #times = new Map<number, number>();

  constructor(worthOf: Uint32Array) {
    this.#worthOf = worthOf;
  }

  enter(gram: number): void {
    const times = this.#times.get(gram) ?? 0;
    if (times === 0) this.worth += this.#worthOf[gram]!;
    this.#times.set(gram, times + 1);
  }

  leave(gram: number): void {
    const times = this.#times.get(gram)! - 1;
    if (times > 0) {
      this.#times.set(gram, times);
    } else {
      this.#times.delete(gram);
      this.worth -= this.#worthOf[gram]!;
    }
  }
}
