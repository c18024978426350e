import { EventEmitter } from 'node:events';
import type { Command, Redis, RedisOptions } from 'ioredis';

/** As much of ioredis' queue as the pool looks at. */
class FakeQueue extends Array<{ command: Partial<Command>; stream?: unknown }> {
  peekAt(index: number): unknown {
    return this[index];
  }

  peekFront(): unknown {
    return this[0];
  }

  toArray(): unknown[] {
    return [...this];
  }

  clear(): void {
    this.length = 0;
  }
}

/** A command that waits for its reply, with what it was rejected with. */
export interface FakeCommand {
  name: string;
  args: unknown[];
  isSettled: boolean;
  error?: Error;
  reject: (error: Error) => void;
}

export function fakeCommand(name: string, ...args: unknown[]): FakeCommand {
  const command: FakeCommand = {
    name,
    args,
    isSettled: false,
    reject: (error) => {
      command.error ??= error;
      command.isSettled = true;
    },
  };
  return command;
}

/** As much of an ioredis client as the pool looks at, led by the test. Its events come at once. */
export class FakeRedisClient extends EventEmitter {
  status = 'wait';
  readonly sent: Command[] = [];
  commandQueue = new FakeQueue();
  prevCommandQueue: FakeQueue | undefined;
  readonly offlineQueue = new FakeQueue();
  readonly stream = Object.assign(new EventEmitter(), {
    connecting: true,
    writable: true,
    bytesRead: 0,
    destroy: (error?: Error) => this.lose(error),
  });
  /** What QUIT does; by default the server says goodbye. */
  onQuit: () => Promise<unknown> = () => Promise.resolve('OK');

  constructor(readonly options: RedisOptions = {}) {
    super();
  }

  /** What the pool's own code takes it for. */
  get asRedis(): Redis {
    return this as unknown as Redis;
  }

  connect(): Promise<void> {
    this.moveTo('connecting');
    return new Promise(() => undefined);
  }

  quit(): Promise<unknown> {
    return this.onQuit();
  }

  disconnect(): void {
    if (this.status === 'end') return;
    this.moveTo('close');
    this.moveTo('end');
  }

  sendCommand(command: Command): unknown {
    this.sent.push(command);
    return command.promise;
  }

  handleReconnection(error: Error, { command }: { command: Partial<FakeCommand> }): void {
    if (this.options.reconnectOnError?.(error) !== 2) command.reject?.(error);
  }

  flushQueue(error: Error): void {
    for (const { command } of this.commandQueue.splice(0)) command.reject?.(error);
  }

  /** Lets a command wait for its reply. */
  owe(command: FakeCommand, stream?: unknown): void {
    this.commandQueue.push({ command: command as unknown as Command, stream });
  }

  moveTo(status: string): void {
    if (status === 'close') {
      this.stream.emit('close');
      if (this.status === 'ready') this.prevCommandQueue = this.commandQueue;
    }
    if (status === 'connect') this.commandQueue = new FakeQueue();
    if (status === 'end') this.flushQueue(new Error('Connection is closed.'));
    this.status = status;
    this.emit(status);
  }

  /** Its socket is connected and the server has answered. */
  becomeReady(): void {
    this.moveTo('connect');
    for (const item of this.prevCommandQueue?.splice(0) ?? []) this.commandQueue.push(item);
    this.moveTo('ready');
  }

  /** Its socket is gone; ioredis will try again. */
  lose(error?: Error): void {
    if (error !== undefined) this.emit('error', error);
    this.moveTo('close');
    this.moveTo('reconnecting');
  }

  /** Its socket is gone, and ioredis gives up. */
  giveUp(error: Error): void {
    this.emit('error', error);
    this.moveTo('close');
    this.moveTo('end');
  }
}
