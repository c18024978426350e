import { Socket } from 'node:net';
import { Flow } from './fault-proxy.flow.js';

/** Which way bytes go. */
export type Direction = 'toServer' | 'toClient';

/** What can be done to a connection. Without a direction it is done to both. */
export interface Faults {
  /** Every byte arrives so many milliseconds later; 0 ends that. */
  delay(ms: number, direction?: Direction): void;
  /** Bytes are held, and so is a goodbye; the sockets stay open. */
  stall(direction?: Direction): void;
  /** Ends a stall: what was held goes on its way. */
  resume(direction?: Direction): void;
  /** Says goodbye to both sides (FIN). */
  cut(): void;
  /** Hangs up on both sides (RST). */
  reset(): void;
  /** As when a cable was pulled out: nothing is ever answered or closed. */
  halfOpen(): void;
  /** Lets so many bytes of the next reply through, and cuts. */
  partialReply(options: { bytes: number }): void;
}

/** A client's connection and the one that is opened to the server for it. */
export class ProxiedConnection implements Faults {
  readonly #client: Socket;
  readonly #server = new Socket({ allowHalfOpen: true });
  readonly #flows: Readonly<Record<Direction, Flow>>;
  readonly #opening: NodeJS.Timeout;
  #isHalfOpen = false;

  /** `client` is paused and allows half-open; the server at `port` is connected to after `afterMs`. */
  constructor(client: Socket, port: number, afterMs: number) {
    this.#client = client;
    this.#flows = {
      toServer: new Flow(client, this.#server),
      toClient: new Flow(this.#server, client),
    };
    this.#tellErrors(client, this.#server);
    this.#tellErrors(this.#server, client);
    this.#opening = setTimeout(() => {
      this.#server.connect(port, '127.0.0.1');
      client.resume();
    }, afterMs);
  }

  /** A socket of it, at either side, is still there. */
  get isOpen(): boolean {
    return !this.#client.destroyed || !this.#server.destroyed;
  }

  delay(ms: number, direction?: Direction): void {
    for (const flow of this.#flowsOf(direction)) flow.delayMs = ms;
  }

  stall(direction?: Direction): void {
    for (const flow of this.#flowsOf(direction)) flow.stall();
  }

  resume(direction?: Direction): void {
    for (const flow of this.#flowsOf(direction)) flow.resume();
  }

  cut(): void {
    this.#swallow();
    for (const socket of [this.#client, this.#server]) {
      if (socket.pending) socket.destroy();
      else socket.end();
    }
  }

  reset(): void {
    this.#swallow();
    for (const socket of [this.#client, this.#server]) hangUp(socket);
  }

  halfOpen(): void {
    this.#isHalfOpen = true;
    this.#swallow();
  }

  partialReply({ bytes }: { bytes: number }): void {
    this.#flows.toClient.limit(bytes, () => this.cut());
  }

  /** Undoes what can be undone. Who kept to a half-open connection learns that it is none any more. */
  heal(): void {
    if (this.#isHalfOpen) return this.reset();
    this.delay(0);
    this.resume();
    this.#flows.toClient.limit(Infinity, () => undefined);
  }

  #flowsOf(direction?: Direction): Flow[] {
    return direction === undefined ? Object.values(this.#flows) : [this.#flows[direction]];
  }

  #swallow(): void {
    clearTimeout(this.#opening);
    this.#client.resume();
    for (const flow of this.#flowsOf()) flow.swallow();
  }

  /** A goodbye goes through the flows; that a side has failed is told past them. */
  #tellErrors(one: Socket, other: Socket): void {
    one.on('error', () => undefined); // 'close' tells
    one.on('close', (failed) => {
      if (failed && !this.#isHalfOpen) hangUp(other);
    });
  }
}

/** Where a goodbye is under way Node cannot reset a socket, and would never close it. */
function hangUp(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
