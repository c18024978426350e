import type { Command } from 'ioredis';

/** Below this many, nobody cares how many of them are settled. */
const FEW = 256;

/** Commands that were sent and are not settled, wherever they wait. To note one costs next to nothing. */
export class InFlight {
  readonly #commands = new Set<Command>();
  #roof = FEW;

  note(command: Command): void {
    this.#commands.add(command);
    if (this.#commands.size > this.#roof) this.#sweep();
  }

  get isEmpty(): boolean {
    for (const command of this.#commands) if (!command.isSettled) return false;
    this.#commands.clear();
    return true;
  }

  *[Symbol.iterator](): Iterator<Command> {
    for (const command of this.#commands) if (!command.isSettled) yield command;
  }

  /** Resolves when none is left; ioredis may send a pipeline again, with new promises. */
  async settled(): Promise<void> {
    while (!this.isEmpty) await Promise.allSettled([...this].map(({ promise }) => promise));
  }

  #sweep(): void {
    for (const command of this.#commands) if (command.isSettled) this.#commands.delete(command);
    this.#roof = Math.max(FEW, 2 * this.#commands.size);
  }
}
