import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/** How long the requests that are open at the shutdown may take. */
const FINISH_WITHIN_MS = 10_000;

/** How long a connection is waited for over which nothing is asked just now. */
const ASK_WITHIN_MS = 1_000;

/**
 * Lets the HTTP server close as soon as the open requests are answered, and cuts nobody off.
 *
 * By itself it also waits for connections that clients keep for their next request, and for those that browsers open in advance; and the
 * idle ones it closes at once, though the next request may be on its way. So clients are told with their next answer that it is the last
 * one on this connection, and have a moment to ask for it.
 */
@Injectable()
export class OpenConnections implements OnModuleInit, BeforeApplicationShutdown {
  private readonly sockets = new Set<Socket>();
  private readonly responses = new Set<ServerResponse>();
  private closing = false;

  constructor(private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    this.server.on('connection', (socket: Socket) => track(this.sockets, socket));
    this.server.on('request', (_request, response: ServerResponse) => {
      track(this.responses, response);
      if (this.closing) this.closeBehind(response);
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.closing = true;
    for (const response of this.responses) this.closeBehind(response);
    setTimeout(() => this.server.closeAllConnections(), FINISH_WITHIN_MS).unref();
    const closed = Promise.allSettled([...this.sockets].map((socket) => once(socket, 'close')));
    await Promise.race([closed, sleep(ASK_WITHIN_MS, undefined, { ref: false })]);
    for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy();
  }

  private closeBehind(response: ServerResponse): void {
    const { socket } = response;
    if (!response.headersSent) response.setHeader('Connection', 'close');
    response.once('close', () => socket?.end());
  }

  private get server(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }
}

function track<T extends Socket | ServerResponse>(open: Set<T>, each: T): void {
  open.add(each);
  each.once('close', () => open.delete(each));
}
