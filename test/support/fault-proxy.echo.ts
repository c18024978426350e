import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { eventually } from './eventually.js';

/** A server that says back what it hears, and what became of its connections. */
export class EchoServer {
  readonly heard: string[] = [];
  readonly sockets: Socket[] = [];
  port = 0;
  readonly #server: Server = createServer((socket) => {
    this.sockets.push(socket);
    socket.on('data', (bytes) => {
      this.heard.push(bytes.toString());
      socket.write(bytes);
    });
    socket.on('error', () => undefined);
  });

  async start(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

/** A client, and all that it learns. */
export class EchoClient {
  heard = '';
  outcome: 'open' | 'refused' | 'ended' | 'reset' = 'open';
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (bytes) => (this.heard += bytes.toString()));
    this.socket.on('end', () => (this.outcome = 'ended'));
    this.socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.outcome = code === 'ECONNREFUSED' ? 'refused' : 'reset';
    });
  }

  /** Says something and waits until it has heard so much in all. */
  async says(words: string, heard: string): Promise<void> {
    this.socket.write(words);
    await eventually(`${heard} is heard`, () => this.heard === heard);
  }
}
