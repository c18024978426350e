import { corrupt, trailing, truncated, type Culprit } from './compression.errors.js';
import {
  BLOCK_HEADER_BYTES,
  blockBytes,
  checksumBytes,
  headerBytes,
  isLastBlock,
  isSkippable,
  isZstd,
  uint,
} from './zstd-frames.js';

/** The next bytes of a frame: to be looked at, or passed over. */
interface Step {
  readonly bytes: number;
  readonly isRead: boolean;
}

const read = (bytes: number): Step => ({ bytes, isRead: true });
const pass = (bytes: number): Step => ({ bytes, isRead: false });

const MAGIC = read(4);
const SKIPPED_SIZE = read(4);

/** As `zstdFrames()`, for an input that comes in pieces: cuts each piece where a frame ends. */
export class ZstdFrameCutter {
  readonly #culprit: Culprit;
  /** The bytes of the present step, as far as they have come. */
  readonly #seen = new Uint8Array(MAGIC.bytes);
  #seenBytes = 0;
  #step: Step | undefined;
  #steps: Generator<Step, void, Uint8Array> | undefined;
  #frames = 0;

  constructor(culprit: Culprit) {
    this.#culprit = culprit;
  }

  /** @throws {CompressionError} something else than a frame begins in this piece */
  cut(piece: Uint8Array): Uint8Array[] {
    const parts: Uint8Array[] = [];
    let start = 0;
    for (let at = 0; at < piece.length;) {
      at = this.#advance(piece, at);
      if (this.#steps !== undefined && at < piece.length) continue;
      parts.push(piece.subarray(start, at));
      start = at;
    }
    return parts;
  }

  /** Takes what the present step wants of the piece, and goes on to the next one that wants more. */
  #advance(piece: Uint8Array, start: number): number {
    this.#steps ??= this.#walk();
    this.#step ??= this.#steps.next().value ?? undefined;
    const { bytes = 0, isRead = false } = this.#step ?? {};
    const end = Math.min(piece.length, start + bytes - this.#seenBytes);
    if (isRead) this.#seen.set(piece.subarray(start, end), this.#seenBytes);
    this.#seenBytes += end - start;
    if (this.#step === MAGIC) this.#checkMagic();
    while (this.#step !== undefined && this.#seenBytes === this.#step.bytes) {
      const { value } = this.#steps.next(this.#seen);
      this.#seenBytes = 0;
      this.#step = value ?? undefined;
    }
    if (this.#step === undefined) this.#frameEnded();
    return end;
  }

  /** As far as it has come: the decoder would call anything else corrupt, be there frames before it or not. */
  #checkMagic(): void {
    const begun = this.#seen.subarray(0, this.#seenBytes);
    if (isSkippable(begun, 0) || isZstd(begun, 0)) return;
    throw this.#frames === 0
      ? corrupt(this.#culprit, 'it does not begin with a frame')
      : trailing(this.#culprit);
  }

  #frameEnded(): void {
    this.#steps = undefined;
    this.#frames += 1;
  }

  *#walk(): Generator<Step, void, Uint8Array> {
    const magic = yield MAGIC;
    if (isSkippable(magic, 0)) {
      yield pass(uint(yield SKIPPED_SIZE, 0, SKIPPED_SIZE.bytes));
      return;
    }
    const descriptor = uint(yield read(1), 0, 1);
    yield pass(headerBytes(descriptor) - 1);
    for (let isLast = false; !isLast;) {
      const header = uint(yield read(BLOCK_HEADER_BYTES), 0, BLOCK_HEADER_BYTES);
      isLast = isLastBlock(header);
      yield pass(blockBytes(header));
    }
    yield pass(checksumBytes(descriptor));
  }

  /**
   * The input has ended; the next piece is another one's.
   * @throws {CompressionError} it has not ended where a frame does
   */
  end(): void {
    const isWhole = this.#steps === undefined && this.#frames > 0;
    this.#steps = this.#step = undefined;
    this.#seenBytes = this.#frames = 0;
    if (!isWhole) throw truncated(this.#culprit);
  }
}
