import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** Something that listens where a Redis server is expected, and is none, or one of long ago. */
export interface StandInServer {
  readonly port: number;
  /** Hangs up on everybody. */
  stop(): Promise<void>;
}

/** Listens on 127.0.0.1, at a free port; `talk` is given each connection. */
export async function standIn(talk: (socket: Socket) => void): Promise<StandInServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    talk(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

/** Answers each command, which comes as its words; names are in lower case. */
export function answering(answer: (name: string, ...args: string[]) => string): (socket: Socket) => void {
  return (socket) => {
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
      for (;;) {
        const [count, ...lines] = text.split('\r\n');
        const size = 2 * Number(count?.slice(1));
        if (lines.length <= size) return; // the rest is still to come
        const [name = '', ...args] = lines.slice(0, size).filter((_, at) => at % 2 === 1);
        text = lines.slice(size).join('\r\n');
        socket.write(`${answer(name.toLowerCase(), ...args)}\r\n`);
      }
    });
  };
}
