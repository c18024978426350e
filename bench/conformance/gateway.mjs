import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { chainOf, Conduct } from './source.mjs';

/**
 * A {@link Source} for pools that open connections by themselves: a gateway to a real Redis server that lets connections through,
 * drops, delays or ignores them as told. A resource is then a client, and what exists are its connections.
 */
export class Gateway {
  creates = new Conduct('connect');
  peak = 0;
  /** The pool closes its clients itself, and nobody sees how. */
  destroyed = [];
  #target;
  #server;
  #sockets = new Set();

  static async before(redisUrl) {
    const { hostname, port } = new URL(redisUrl);
    const gateway = new Gateway();
    gateway.#target = { host: hostname, port: Number(port) };
    gateway.#server = createServer((socket) => gateway.#arrived(socket))
      .listen(0, '127.0.0.1')
      .unref();
    await once(gateway.#server, 'listening');
    return gateway;
  }

  get port() {
    return this.#server.address().port;
  }

  get live() {
    return this.#sockets.size;
  }

  get healthy() {
    return this.live;
  }

  /** Cuts the connections there are; a check that asks for it has only one. */
  lose() {
    for (const socket of this.#sockets) socket.destroy();
  }

  works(client) {
    return client.ping().then(
      (reply) => reply === 'PONG',
      () => false,
    );
  }

  explains(error) {
    return chainOf(error).some(({ message }) => /ECONNRESET|closed unexpectedly/i.test(message));
  }

  #arrived(socket) {
    const { manner, ms } = this.creates.take();
    socket.on('error', () => undefined).unref();
    if (manner === 'rejects') return setTimeout(() => socket.resetAndDestroy(), ms);
    this.#sockets.add(socket);
    this.peak = Math.max(this.peak, this.#sockets.size);
    socket.once('close', () => this.#sockets.delete(socket));
    return manner === 'works' ? setTimeout(() => this.#letThrough(socket), ms) : socket.resume();
  }

  #letThrough(socket) {
    const server = connect(this.#target).unref();
    server.on('error', () => socket.destroy()).once('close', () => socket.destroy());
    socket.once('close', () => server.destroy());
    socket.pipe(server).pipe(socket);
  }
}
