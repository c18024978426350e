import type { Socket } from 'node:net';

interface Held {
  /** Nothing is the end of all that was to come (FIN), which takes its turn behind the bytes. */
  readonly bytes: Buffer | undefined;
  readonly dueAt: number;
}

/** One direction of a connection: what comes in goes out in the same order; late, not yet, in part, or never. */
export class Flow {
  delayMs = 0;
  readonly #to: Socket;
  readonly #held: Held[] = [];
  #isStalled = false;
  #isSwallowing = false;
  #left = Infinity;
  #exhausted: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket) {
    this.#to = to;
    from.on('data', (bytes) => this.#take(bytes));
    from.on('end', () => this.#take(undefined));
  }

  stall(): void {
    this.#isStalled = true;
  }

  resume(): void {
    this.#isStalled = false;
    this.#pass();
  }

  /** Lets so many more bytes through; what comes behind them is lost. */
  limit(bytes: number, exhausted: () => void): void {
    this.#left = bytes;
    this.#exhausted = exhausted;
  }

  /** From now on everything is lost, what is held as well. */
  swallow(): void {
    this.#isSwallowing = true;
    this.#held.length = 0;
    clearTimeout(this.#timer);
  }

  #take(bytes: Buffer | undefined): void {
    if (this.#isSwallowing) return;
    this.#held.push({ bytes, dueAt: performance.now() + this.delayMs });
    this.#pass();
  }

  #pass(): void {
    clearTimeout(this.#timer);
    for (let next = this.#held[0]; next !== undefined && !this.#isStalled; next = this.#held[0]) {
      const early = next.dueAt - performance.now();
      if (early > 0) {
        this.#timer = setTimeout(() => this.#pass(), early);
        return;
      }
      this.#held.shift();
      this.#send(next.bytes);
    }
  }

  #send(bytes: Buffer | undefined): void {
    if (!this.#to.writable) return;
    if (bytes === undefined) return void this.#to.end();
    this.#to.write(bytes.subarray(0, this.#left));
    this.#left -= bytes.length;
    if (this.#left <= 0) this.#exhausted();
  }
}
