import { tracingChannel } from 'node:diagnostics_channel';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Durations, type DurationsRead } from './durations.js';

/** What ioredis tells of single commands, and of transactions and pipelines. */
const CHANNELS = ['ioredis:command', 'ioredis:batch'].map((name) => tracingChannel(name));

/** How many Redis commands were answered, and how fast. They share connections, so that the pool's leases do not tell. */
@Injectable()
export class CommandMeter implements OnModuleInit, OnApplicationShutdown {
  private readonly startedAt = new WeakMap<object, number>();
  private readonly durations = new Durations();

  onModuleInit(): void {
    for (const { start, asyncEnd } of CHANNELS) {
      start.subscribe(this.begin);
      asyncEnd.subscribe(this.end);
    }
  }

  onApplicationShutdown(): void {
    for (const { start, asyncEnd } of CHANNELS) {
      start.unsubscribe(this.begin);
      asyncEnd.unsubscribe(this.end);
    }
  }

  read(): DurationsRead {
    return this.durations.read();
  }

  private readonly begin = (command: unknown) => {
    this.startedAt.set(command as object, performance.now());
  };

  private readonly end = (command: unknown) => {
    const startedAt = this.startedAt.get(command as object);
    if (startedAt !== undefined) this.durations.add(performance.now() - startedAt);
  };
}
