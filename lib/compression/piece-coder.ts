import type { Duplex } from 'node:stream';
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
  /** A write, a flush or an end has not been called back yet. */
  #isUnderWay = false;
  #closing: Promise<void> | undefined;
  #closed: (() => void) | undefined;

  constructor(parts: CodecStream, culprit: Culprit, traffic: Traffic) {
    this.#parts = parts;
    this.#culprit = culprit;
    this.#traffic = traffic;
    parts.stream.on('data', this.#take);
    parts.stream.on('error', this.#explain);
    parts.stream.on('end', this.#end);
    parts.stream.on('close', this.#gone);
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
      this.begin({ take: (chunk) => chunks.push(chunk) > 0, ended: () => resolve(joined(chunks)), failed });
      this.#isCounted = false;
      this.write(block, () => this.endBlock());
    });
  }

  /** Calls `taken` when the piece is done with and the next may come; not if the input fails by it. */
  write(piece: Uint8Array, taken: () => void): void {
    const pieces = this.#orFail(() => this.#parts.cut?.(piece) ?? [piece]);
    if (pieces === undefined) return;
    const done = (error?: Error | null): void => {
      this.#halt();
      if (error) this.#explain(error); // no event tells of a stream that was closed before
      if (this.#sink === undefined) return;
      this.#count(piece.length);
      taken();
    };
    this.#setOut();
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
    this.#setOut();
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
    this.#setOut();
    if (this.isReusable) this.#orFail(() => this.#parts[way]?.(() => this.#whenTaken(this.#lookForEnd)));
    else this.#parts.stream.end();
  }

  resume(): void {
    const { stream } = this.#parts;
    if (!stream.isPaused()) return;
    this.#workingSince = performance.now();
    stream.resume();
  }

  /**
   * Ends the work on the present input, whose sink hears of it at once. Nobody can stop zlib within a chunk: while it is at one, the
   * stream is left to it, and the promise resolves when it rests. Where there is nothing to wait for, there is no promise.
   */
  close(): Promise<void> | undefined {
    const { stream } = this.#parts;
    this.#fail(failed(this.#culprit, 'the context was closed while it worked'));
    if (this.#mayBeInThread) while (stream.read() !== null); // or it would be taken for zlib's next chunk
    if (this.#mayBeInThread) this.#closing ??= this.#atNextRest();
    else stream.destroy();
    return this.#closing;
  }

  get #mayBeInThread(): boolean {
    return this.#isUnderWay && isOfZlib(this.#parts.stream);
  }

  #atNextRest(): Promise<void> {
    this.#parts.stream.resume();
    return new Promise((resolve) => (this.#closed = resolve));
  }

  /** zlib rests, by what it called back: that the work is done, or that it has another chunk. */
  readonly #halt = (): void => {
    this.#isUnderWay = false;
    if (this.#closed === undefined) return;
    this.#parts.stream.destroy();
    this.#closed();
  };

  readonly #take = (chunk: Buffer): void => {
    if (this.#closed !== undefined) this.#halt();
    if (this.#sink === undefined) return;
    this.#outputBytes += chunk.length;
    const mayGoOn = this.#sink.take(ownMemoryOf(chunk));
    if (!mayGoOn) this.#rest();
    if (this.#then !== undefined) this.#goOnIfTaken();
  };

  #rest(): void {
    if (this.#sink === undefined) return; // closed by what it took, and not to be held up
    this.#parts.stream.pause();
    this.#stopClock();
  }

  /** Output may still lie in the stream's buffer while the sink takes no more. */
  #whenTaken(then: () => void): void {
    this.#halt();
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
    this.#halt();
    if (this.#isEnding && !this.isReusable) this.#complete();
    else this.#fail(trailing(this.#culprit));
  };

  #complete(): void {
    this.#count(0);
    this.#leave()?.ended();
  }

  readonly #explain = (error: Error): void => this.#break(this.#parts.explain?.(error) ?? error);

  /** A stream that closed itself without an error says nothing more of its input. */
  readonly #gone = (): void => this.#break(failed(this.#culprit, 'its stream closed half way'));

  #orFail<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#break(error as Error);
      return undefined;
    }
  }

  #break(error: Error): void {
    this.#halt();
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.#leave()?.failed(error);
  }

  #leave(): Sink | undefined {
    const sink = this.#sink;
    this.#sink = undefined;
    return sink;
  }

  #setOut(): void {
    this.#isUnderWay = true;
    this.#workingSince = performance.now();
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

/** What tells Node's own streams from others, which are at rest when they are destroyed, or never say when. */
const isOfZlib = (stream: Duplex): boolean => 'bytesWritten' in stream && 'flush' in stream;
