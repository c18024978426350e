import { constants } from 'node:buffer';
import type { Transform } from 'node:stream';
import type { Zlib, ZlibReset } from 'node:zlib';
import type { Coder } from './codec.js';
import {
  corrupt,
  failed,
  inputTooLarge,
  outputTooLarge,
  trailing,
  truncated,
  wrongDictionary,
  type CompressionError,
  type Culprit,
} from './compression.errors.js';
import { joined } from './own-memory.js';

export type ZlibStream = Transform & Zlib;

/** zlib's own errors carry a code, as "Z_DATA_ERROR". */
export type ZlibError = Error & { readonly code?: string };

/** What an error of zlib's says about the input; it may have to look twice, but then at no more output than the run was allowed. */
export type Explain = (
  culprit: Culprit,
  error: ZlibError,
  run: { readonly input: Uint8Array; readonly maxOutputBytes: number },
) => CompressionError | Promise<CompressionError>;

export interface StreamCoderOptions {
  /** Its default `flush` must end the output with each write, so that one write is one whole run. */
  readonly stream: ZlibStream;
  /** Whether the stream must be reset before the next input; else it goes on by itself. */
  readonly resetAfterRun: boolean;
  /** Whom errors name. */
  readonly culprit: Culprit;
  /** Tells what zlib complains of; {@link explain} when not given. */
  readonly explain?: Explain;
  /** Cuts the input into what the stream can take at once, or throws. */
  readonly split?: (culprit: Culprit, input: Uint8Array) => readonly Uint8Array[];
}

/** Larger buffers need fewer trips to a thread: 64 KiB decompress a third faster than zlib's default of 16 KiB. */
export const CHUNK_BYTES = 65_536;

/** zlib counts its input in 32 bits and would silently drop the rest. */
const MAX_INPUT_BYTES = 0xffff_ffff;

interface Run {
  readonly input: Uint8Array;
  readonly maxOutputBytes: number;
  readonly resolve: (output: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** Runs one input after the other through one zlib stream, by its public interface alone. */
export class StreamCoder implements Coder {
  readonly #stream: ZlibStream;
  readonly #options: StreamCoderOptions;
  /** While there is one, zlib may be at work in a thread: the stream is neither reset nor destroyed. */
  #run: Run | undefined;
  #chunks: Buffer[] = [];
  #outputBytes = 0;
  #bytesWrittenBefore = 0;
  #closing: Promise<void> | undefined;
  #closed: (() => void) | undefined;

  constructor(options: StreamCoderOptions) {
    this.#options = options;
    this.#stream = options.stream;
    this.#stream.on('data', this.#take);
    this.#stream.on('error', this.#fail);
    this.#stream.on('end', this.#finish);
  }

  run(input: Uint8Array, maxOutputBytes: number): Promise<Buffer> {
    const { culprit, split } = this.#options;
    return new Promise((resolve, reject) => {
      if (input.byteLength > MAX_INPUT_BYTES)
        throw inputTooLarge(culprit.pool, input.byteLength, `${MAX_INPUT_BYTES}`);
      const pieces = split === undefined ? [input] : split(culprit, input);
      this.#run = { input, maxOutputBytes: Math.min(maxOutputBytes, constants.MAX_LENGTH), resolve, reject };
      this.#bytesWrittenBefore = this.#stream.bytesWritten;
      this.#write(pieces);
    });
  }

  /** What the stream itself refuses never comes to zlib, which would tell of its end. */
  #write(pieces: readonly Uint8Array[]): void {
    const last = pieces.length - 1;
    try {
      pieces.forEach((piece, index) => this.#stream.write(piece, index === last ? this.#finish : undefined));
    } catch (cause) {
      this.#stop(failed(this.#options.culprit, (cause as Error).message, { cause }));
    }
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#closed = resolve;
      if (this.#run === undefined) this.#stop();
      else this.#run.reject(failed(this.#options.culprit, 'the context was closed while it worked'));
    });
    return this.#closing;
  }

  /** zlib rests between two chunks: here a run can be stopped half way. */
  readonly #take = (chunk: Buffer): void => {
    if (this.#run === undefined) return;
    this.#chunks.push(chunk);
    this.#outputBytes += chunk.length;
    const { maxOutputBytes } = this.#run;
    if (this.#closing !== undefined) this.#stop();
    else if (this.#outputBytes > maxOutputBytes)
      this.#stop(outputTooLarge(this.#options.culprit.pool, maxOutputBytes));
  };

  /** Called when zlib has done with the input, and when it ends the stream itself, as it does at bytes behind the end. */
  readonly #finish = (error?: ZlibError | null): void => {
    if (this.#run === undefined) return;
    if (error) return this.#fail(error);
    const bytesTaken = this.#stream.bytesWritten - this.#bytesWrittenBefore;
    if (this.#closing !== undefined) this.#stop();
    else if (bytesTaken < this.#run.input.byteLength) this.#stop(trailing(this.#options.culprit));
    else this.#complete(this.#run);
  };

  readonly #fail = (error: ZlibError): void => {
    const run = this.#run;
    const { culprit, explain: explainError = explain } = this.#options;
    this.#stop();
    if (run !== undefined) void Promise.resolve(explainError(culprit, error, run)).then(run.reject);
  };

  #complete({ resolve }: Run): void {
    try {
      const output = this.#takeOutput();
      if (this.#options.resetAfterRun) (this.#stream as ZlibStream & ZlibReset).reset();
      this.#run = undefined;
      resolve(output);
    } catch (cause) {
      this.#stop(failed(this.#options.culprit, 'there is no memory for the output', { cause }));
    }
  }

  #takeOutput(): Buffer {
    const output = joined(this.#chunks, this.#outputBytes);
    this.#chunks = [];
    this.#outputBytes = 0;
    return output;
  }

  #stop(error?: Error): void {
    const run = this.#run;
    this.#run = undefined;
    this.#chunks = [];
    this.#stream.destroy();
    if (error !== undefined) run?.reject(error);
    this.#closed?.();
  }
}

/** Whatever zlib complains of is the input's fault, unless it is the want of memory. `hint` is added where the input seems corrupt. */
export const explaining =
  (hint: string) =>
  (culprit: Culprit, error: ZlibError): CompressionError => {
    const { code = '', message } = error;
    if (WRONG_DICTIONARY.has(code)) return wrongDictionary(culprit, { cause: error });
    if (code === 'Z_BUF_ERROR') return truncated(culprit, { cause: error });
    if (WANT_OF_MEMORY.test(code)) return failed(culprit, message, { cause: error });
    return corrupt(culprit, `${message}${hint}`, { cause: error });
  };

export const explain = explaining('');

const WRONG_DICTIONARY: ReadonlySet<string> = new Set(['Z_NEED_DICT', 'ZSTD_error_dictionary_wrong']);

/** As in "Z_MEM_ERROR", "ERR__ERROR_ALLOC_CONTEXT_MODES" (brotli) and "ZSTD_error_memory_allocation". */
const WANT_OF_MEMORY = /_MEM_|_ALLOC_|_memory_/;
