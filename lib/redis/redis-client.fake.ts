import { EventEmitter } from 'node:events';
import type { Command, Redis, RedisOptions } from 'ioredis';

/** As much of an ioredis client as the pool looks at, led by the test. Its events come at once. */
export class FakeRedisClient extends EventEmitter {
  status = 'wait';
  readonly sent: Command[] = [];
  readonly commandQueue: unknown[] = [];
  readonly stream = Object.assign(new EventEmitter(), {
    connecting: true,
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

  moveTo(status: string): void {
    this.status = status;
    this.emit(status);
  }

  /** Its socket is connected and the server has answered. */
  becomeReady(): void {
    this.moveTo('connect');
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
