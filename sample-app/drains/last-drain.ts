import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { PoolRegistry, type DrainReport } from 'nestjs-pool';
import type { Environment } from '../environment.js';

/** Beside the sources, or what is built from them. */
const DEFAULT_FILE = join(import.meta.dirname, '../../node_modules/.cache/sample-app/last-drain.json');

export interface Drain {
  /** When the process before this one had drained its pools, in milliseconds since 1970. */
  readonly at: number;
  readonly reports: readonly DrainReport[];
}

/**
 * What the last shutdown did. It is known only when the HTTP server is closed and nobody can be told any more, so that it is left in
 * a file for the next process to show.
 */
@Injectable()
export class LastDrain implements OnModuleInit, OnApplicationShutdown {
  /** Null when there was none, or nobody could write it down. */
  found: Drain | null = null;

  private readonly logger = new Logger(LastDrain.name);
  private readonly file: string;

  constructor(
    config: ConfigService<Environment, true>,
    private readonly pools: PoolRegistry,
  ) {
    this.file = config.get('LAST_DRAIN_FILE', DEFAULT_FILE);
  }

  async onModuleInit(): Promise<void> {
    const written = await readFile(this.file, 'utf8').catch(() => 'null');
    try {
      this.found = JSON.parse(written) as Drain | null;
    } catch {
      this.logger.warn(`${this.file} is no report of a drain`);
    }
  }

  /** Joins the drain of the registry. */
  async onApplicationShutdown(): Promise<void> {
    const reports = await this.pools.drain();
    const drain: Drain = { at: Date.now(), reports };
    try {
      await mkdir(dirname(this.file), { recursive: true });
      await writeFile(this.file, JSON.stringify(drain));
    } catch (error) {
      this.logger.warn(`Could not write ${this.file}: ${String(error)}`);
    }
  }
}
