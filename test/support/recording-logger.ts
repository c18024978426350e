import type { LoggerService } from '@nestjs/common';

const LEVELS = ['debug', 'verbose', 'log', 'warn', 'error'] as const;

type Level = (typeof LEVELS)[number];

/** A logger that keeps what it is told: an application's own, for `app.useLogger()`. */
export class RecordingLogger implements LoggerService {
  /** With the level before each message, in the order in which they came. */
  readonly lines: string[] = [];

  /** @param context only messages of this context are kept */
  constructor(private readonly context?: string) {}

  log = this.#keep('log');
  error = this.#keep('error');
  warn = this.#keep('warn');
  debug = this.#keep('debug');
  verbose = this.#keep('verbose');

  /** The messages of one level. */
  of(level: Level): string[] {
    return this.lines
      .filter((line) => line.startsWith(`${level} `))
      .map((line) => line.slice(level.length + 1));
  }

  /** The lines of more important levels. */
  above(level: Level): string[] {
    const levels = LEVELS.slice(LEVELS.indexOf(level) + 1);
    return this.lines.filter((line) => levels.some((each) => line.startsWith(`${each} `)));
  }

  /** Nest gives the context last. */
  #keep(level: Level): (message: unknown, ...parameters: unknown[]) => void {
    return (message, ...parameters) => {
      if (this.context === undefined || parameters.at(-1) === this.context)
        this.lines.push(`${level} ${String(message)}`);
    };
  }
}
