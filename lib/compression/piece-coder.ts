import type { CodecStream } from './codec.js';
import { failed, trailing, type Culprit } from './compression.errors.js';
import { joined, ownMemoryOf } from './own-memory.js';
import type { Traffic } from './traffic.js';

/** Where the output of one input goes, and how it ended: by `ended` or by `failed`, once. */
export interface Sink {
  /** The chunk is the sink's own. `false` asks for a pause until `resume()`. */
  take(chunk: Buffer): boolean;
  ended(): void;
  failed(error: Error): void;
}

/** Runs one input after the other, piece by piece, through one stream of a codec. */
export class PieceCoder {
  readonly #parts: CodecStream;
  readonly #culprit: Culprit;
  readonly #traffic: Traffic;
  #sink: Sink | undefined;
  #isEnding = false;
  #isCounted = true;
  /** What follows when the sink has taken all output so far. */
  #then: (() => void) | undefined;
  #outputBytes = 0;
  /** When work on the present piece began or went on; 0 while there is none, or nobody takes its output. */
  #workingSince = 0;
  #workMs = 0;

  constructor(parts: CodecStream, culprit: Culprit, traffic: Traffic) {
    this.#parts = parts;
    this.#culprit = culprit;
    this.#traffic = traffic;
    parts.stream.on('data', this.#take);
    parts.stream.on('error', this.#explain);
    parts.stream.on('end', this.#end);
  }

  /** The stream can serve another input after this one. */
  get isReusable(): boolean {
    return this.#parts.finish !== undefined;
  }

  begin(sink: Sink): void {
    this.#sink = sink;
    this.#isEnding = false;
    this.#isCounted = true;
    this.#then = undefined;
    this.#parts.stream.resume();
  }

  /** Runs a block of a larger input. Counts nothing: what goes out for it is not known here. */
  runBlock(block: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, failed) => {
      const chunks: Buffer[] = [];
      const take = (chunk: Buffer): boolean => chunks.push(chunk) > 0;
      this.begin({ take, ended: () => resolve(joined(chunks)), failed });
      this.#isCounted = false;
      this.write(block, () => this.endBlock());
    });
  }

  /** Calls `taken` when the piece is done with and the next may come; not if the input fails by it. */
  write(piece: Uint8Array, taken: () => void): void {
    const pieces = this.#orFail(() => this.#parts.cut?.(piece) ?? [piece]);
    if (pieces === undefined) return;
    const done = (error?: Error | null): void => {
      if (error) return; // told by an event as well
      this.#count(piece.length);
      taken();
    };
    this.#workingSince = performance.now();
    if (pieces.length === 0) return done();
    const last = pieces.length - 1;
    pieces.forEach((each, index) => this.#parts.stream.write(each, index === last ? done : undefined));
  }

  /** Calls `flushed` when the sink has taken all that it needs to read the pieces so far; not if the input fails by it. */
  flush(flushed: () => void): void {
    const done = (): void => {
      this.#count(0);
      flushed();
    };
    this.#workingSince = performance.now();
    this.#orFail(() => {
      if (this.#parts.flush === undefined) throw failed(this.#culprit, 'it cannot flush');
      this.#parts.flush(() => this.#whenTaken(done));
    });
  }

  /** No piece follows. */
  end(): void {
    this.#endBy('finish');
  }

  /** No piece follows here, but others in blocks of their own. */
  endBlock(): void {
    this.#endBy(this.#parts.endBlock === undefined ? 'finish' : 'endBlock');
  }

  #endBy(way: 'finish' | 'endBlock'): void {
    this.#isEnding = true;
    this.#workingSince = performance.now();
    if (this.isReusable) this.#orFail(() => this.#parts[way]?.(() => this.#whenTaken(this.#lookForEnd)));
    else this.#parts.stream.end();
  }

  resume(): void {
    const { stream } = this.#parts;
    if (!stream.isPaused()) return;
    this.#workingSince = performance.now();
    stream.resume();
  }

  /** Ends the work on the present input. Node lets zlib finish the chunk it is at before it frees anything. */
  close(): void {
    this.#parts.stream.destroy();
    this.#fail(failed(this.#culprit, 'the context was closed while it worked'));
  }

  readonly #take = (chunk: Buffer): void => {
    if (this.#sink === undefined) return;
    this.#outputBytes += chunk.length;
    const mayGoOn = this.#sink.take(ownMemoryOf(chunk));
    if (!mayGoOn) this.#rest();
    if (this.#then !== undefined) this.#goOnIfTaken();
  };

  #rest(): void {
    this.#parts.stream.pause();
    this.#stopClock();
  }

  /** Output may still lie in the stream's buffer while the sink takes no more. */
  #whenTaken(then: () => void): void {
    this.#then = then;
    this.#goOnIfTaken();
  }

  #goOnIfTaken(): void {
    if (this.#sink === undefined || this.#parts.stream.readableLength > 0) return;
    const then = this.#then;
    this.#then = undefined;
    then?.();
  }

  /** A stream that ended by itself says so only when it is asked for more than all its output, and then within this turn. */
  readonly #lookForEnd = (): void => {
    this.#parts.stream.read(0);
    process.nextTick(this.#renew);
  };

  readonly #renew = (): void => {
    if (this.#sink === undefined) return;
    this.#orFail(() => this.#parts.renew?.());
    this.#complete();
  };

  readonly #end = (): void => {
    if (this.#isEnding && !this.isReusable) this.#complete();
    else this.#fail(trailing(this.#culprit));
  };

  #complete(): void {
    this.#count(0);
    this.#leave()?.ended();
  }

  readonly #explain = (error: Error): void => {
    this.#fail(this.#parts.explain?.(error) ?? error);
  };

  #orFail<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#fail(error as Error);
      return undefined;
    }
  }

  #fail(error: Error): void {
    this.#leave()?.failed(error);
  }

  #leave(): Sink | undefined {
    const sink = this.#sink;
    this.#sink = undefined;
    return sink;
  }

  #count(inputBytes: number): void {
    this.#stopClock();
    if (this.#isCounted) this.#traffic.count(inputBytes, this.#outputBytes, this.#workMs);
    this.#outputBytes = this.#workMs = 0;
  }

  #stopClock(): void {
    if (this.#workingSince > 0) this.#workMs += performance.now() - this.#workingSince;
    this.#workingSince = 0;
  }
}
