import type { Command, Redis } from 'ioredis';
import { kindOf } from './command-rules.js';

/**
 * What the holder of a connection leaves behind: sees every command that is sent, those of pipelines, scripts and transactions
 * included. Begins when the connection is ready, so that the handshake is not taken for the holder's.
 */
export class HolderTraces {
  readonly #client: Redis;
  readonly #listeners: number;
  #changed = false;
  #inTransaction = false;

  constructor(client: Redis) {
    this.#client = client;
    this.#listeners = listenersOf(client);
    const send = client.sendCommand.bind(client);
    client.sendCommand = (command, stream) => {
      this.#note(command);
      return send(command, stream);
    };
  }

  /** The next holder would find the connection as the first one did. */
  get none(): boolean {
    const { commandQueue } = this.#client;
    const asBefore = !this.#changed && !this.#inTransaction && commandQueue.length === 0;
    return asBefore && listenersOf(this.#client) === this.#listeners;
  }

  #note({ name, args }: Command): void {
    if (kindOf(name, args) !== 'stateful') return;
    switch (name.toLowerCase()) {
      case 'multi':
        this.#inTransaction = true;
        break;
      case 'exec':
      case 'discard':
        this.#inTransaction = false;
        break;
      default:
        this.#changed = true;
    }
  }
}

const listenersOf = (client: Redis): number =>
  client.eventNames().reduce((count, event) => count + client.listenerCount(event), 0);
