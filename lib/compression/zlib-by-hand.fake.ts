import { Transform, type TransformCallback } from 'node:stream';

/** A stream as zlib's, which is at work until the test says that it is done, or gives a chunk by `push()`. */
export class ZlibByHand extends Transform {
  readonly bytesWritten = 0;
  #callback: TransformCallback | undefined;

  get isAtWork(): boolean {
    return this.#callback !== undefined;
  }

  done(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  flush(flushed: () => void): void {
    this.write('flush', flushed);
  }

  override _transform(_chunk: unknown, _encoding: string, callback: TransformCallback): void {
    this.#callback = callback;
  }

  override _flush(callback: TransformCallback): void {
    this.#callback = callback;
  }
}
