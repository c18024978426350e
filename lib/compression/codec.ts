/** What a codec is told when it makes a coder. */
export interface CoderOptions {
  /** The name of the pool, for errors. */
  readonly pool: string;
  /** How hard to compress; the codec's own default when not given. */
  readonly level?: number;
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

  /** Frees what the coder holds and rejects the call under way. Resolves when no native work goes on; may be called twice. */
  close(): Promise<void>;
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
  createCompressor(options: CoderOptions): Coder;
  createDecompressor(options: CoderOptions): Coder;
}
