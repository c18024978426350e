import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/** How long the requests that are open at the shutdown may take. */
const FINISH_WITHIN_MS = 10_000;

/** How long a connection that has not asked for anything is waited for. */
const ASK_WITHIN_MS = 500;

/**
 * Lets the HTTP server close as soon as the open requests are answered.
 *
 * By itself it also waits for connections that clients keep for their next request, and for those that browsers open in advance.
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

  beforeApplicationShutdown(): void {
    this.closing = true;
    for (const response of this.responses) this.closeBehind(response);
    setTimeout(() => this.closeSilent(), ASK_WITHIN_MS).unref();
    setTimeout(() => this.server.closeAllConnections(), FINISH_WITHIN_MS).unref();
  }

  private closeBehind(response: ServerResponse): void {
    if (!response.headersSent) response.setHeader('Connection', 'close');
    response.once('close', () => this.server.closeIdleConnections());
  }

  private closeSilent(): void {
    for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy();
  }

  private get server(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }
}

function track<T extends Socket | ServerResponse>(open: Set<T>, each: T): void {
  open.add(each);
  each.once('close', () => open.delete(each));
}
