import type { Duplex } from 'node:stream';

/** What a codec is told when it makes a coder. */
export interface CoderOptions {
  /** The name of the pool, for errors. */
  readonly pool: string;
  /** How hard to compress; the codec's own default when not given. */
  readonly level?: number;
  /** What inputs are likely to share. Only a codec that takes dictionaries is given one. */
  readonly dictionary?: Uint8Array;
}

/**
 * One direction of a codec: takes one whole input after the other and gives one whole output for each.
 * It is never asked while it works, and never again after it rejected or was closed.
 *
 * @publicApi
 */
export interface Coder {
  /**
   * Neither changes nor keeps `input`; the output owns its memory. Stops as soon as the output passes `maxOutputBytes`.
   * Rejects, never throws; how a built-in codec rejects is told by `CompressionError`.
   */
  run(input: Uint8Array, maxOutputBytes: number): Promise<Buffer>;

  /** Frees what the coder holds; the call under way rejects, or ends. Resolves when no native work goes on; may be called twice. */
  close(): Promise<void>;
}

/**
 * One direction of a codec for inputs that come in pieces: a Node stream, and how to use it for one input after the other. It is
 * destroyed when an input failed or was given up half way.
 *
 * @publicApi
 */
export interface CodecStream {
  /** Takes an input by `write()` and gives its output as 'data'. If it ends by itself, bytes follow the end of the input. */
  readonly stream: Duplex;

  /**
   * Ends the input and not the stream: calls `done` when all output is given or buffered, or throws where the input is not whole.
   * Without it the stream serves one input.
   */
  finish?(done: () => void): void;

  /** As `finish()`, where only a block of an input has ended and others go on with it. Needed for a codec's `createJoiner()`. */
  endBlock?(done: () => void): void;

  /**
   * Gives out what the stream holds back: calls `done` when all that was written so far can be read from output that is given or
   * buffered. Only streams that compress are asked to; without it they fail when they are flushed.
   */
  flush?(done: () => void): void;

  /** Makes the stream ready for the next input, where it is not so by itself. */
  renew?(): void;

  /** Cuts a piece of an input into what is written to the stream, each part by itself. Throws where the input is none. */
  cut?(piece: Uint8Array): readonly Uint8Array[];

  /** Turns an error of the stream into what the caller gets. */
  explain?(error: Error): Error;
}

/**
 * Makes one output of the outputs of an input's blocks. Is given the blocks in their order, which several contexts may have compressed.
 *
 * @publicApi
 */
export interface Joiner {
  /** What goes out for a block. Its `output` is empty where that was given out before, as its pieces came. */
  add(block: Uint8Array, output: Buffer): Buffer;

  /** What goes out behind the last one. */
  end(): Buffer;
}

/**
 * A way to compress. The built-in ones are known by their names; anything else can be plugged in by this interface.
 *
 * @publicApi
 * @example
 * const snappy: Codec = {
 *   name: 'snappy',
 *   createCompressor: () => ({ run: (input) => compress(input), close: async () => {} }),
 *   createDecompressor: () => ({ run: (input) => uncompress(input), close: async () => {} }),
 * };
 */
export interface Codec {
  /** As in `Content-Encoding`, where there is such a name. */
  readonly name: string;
  /** The lowest and the highest level; a codec without levels refuses the option. */
  readonly levels?: readonly [lowest: number, highest: number];
  /** A codec that takes no dictionaries refuses the option. */
  readonly takesDictionary?: boolean;
  /**
   * A large input may be compressed in blocks by several contexts: outputs one behind another are read as one output of the inputs one
   * behind another, or `createJoiner()` makes one of them. Blocks of fewer bytes than this would make it too much larger. Without it no
   * input is cut.
   */
  readonly leastBlockBytes?: number;
  /** Joins outputs that are not read so by themselves; the blocks are then compressed by `createCompressStream()` and its `endBlock()`. */
  createJoiner?(): Joiner;
  /** Some readers take the first of such outputs for all, so blocks are made only where `parallel` asks for them. Default false. */
  readonly joinsOnRequest?: boolean;
  createCompressor(options: CoderOptions): Coder;
  createDecompressor(options: CoderOptions): Coder;
  /** For `createCompress()`; a codec without it has no such streams. */
  createCompressStream?(options: CoderOptions): CodecStream;
  /** For `createDecompress()`; a codec without it has no such streams. */
  createDecompressStream?(options: CoderOptions): CodecStream;
}
