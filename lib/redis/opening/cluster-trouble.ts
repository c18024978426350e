import type { Cluster, Redis } from 'ioredis';
import { diagnosed } from './diagnosis.js';
import { eachQuestion } from '../nodes.js';
import { Trouble } from './trouble.js';

/** What ioredis says when it knows no more than that it did not work, and what a server says after it has refused a password. */
const VAGUE = /^(Connection is closed\.|timeout$|NOAUTH )/;

/**
 * Why a cluster client is not ready. ioredis asks the nodes for their slots over connections of their own and keeps to itself why one
 * of those failed; this listens there, too.
 */
export class ClusterTrouble {
  readonly #client: Cluster;
  #last: Error | undefined;
  /** The last error is of an earlier try. */
  #isOld = false;
  /** The nodes told about their slots, and are asked whether all are served. */
  #isChecking = false;

  constructor(client: Cluster) {
    this.#client = client;
    client.on('error', (error: Error) => {
      if (!('lastNodeError' in error)) this.#note(error); // what each node said is known by then
    });
    client.on('node error', (error: Error) => this.#note(error));
    eachQuestion(client, (question) => this.#listenTo(question));
    this.#listenToCheck();
    client.on('connecting', () => {
      this.#isOld = true;
      this.#isChecking = false;
    });
    client.on('connect', () => {
      this.#isChecking = true;
    });
    client.on('ready', () => {
      this.#last = undefined;
      this.#isChecking = false;
    });
    client.on('close', () => this.#closed());
  }

  /** Something went wrong since the client was last ready. */
  get exists(): boolean {
    return this.#last !== undefined && this.#client.status !== 'ready';
  }

  /** The last error; nothing while the client is ready. */
  get cause(): Error | undefined {
    return this.#client.status === 'ready' ? undefined : (this.#last ?? new Error(SILENCE));
  }

  /** What went wrong last with some node, also while the client is ready. */
  get ofNode(): Error | undefined {
    return this.#last;
  }

  /** However a question ends, ioredis disconnects. */
  #listenTo(question: Redis): void {
    const trouble = new Trouble(question);
    const disconnect = question.disconnect.bind(question);
    question.disconnect = (reconnect) => {
      const { exists, cause } = trouble; // what one node said tells more than the silence of another
      if (cause !== undefined && (exists || this.#knowsNothing)) this.#take(cause);
      if (question.status !== 'end') disconnect(reconnect); // or a timer would wait for an end that has been
    };
  }

  /** A node is asked whether all slots are served; if it does not tell, that is not because they are not. */
  #listenToCheck(): void {
    const client = this.#client;
    const send = client.sendCommand.bind(client);
    client.sendCommand = (command, stream, node) => {
      if (client.status === 'connect' && command.name === 'cluster')
        command.promise.catch((error: Error) => {
          this.#isChecking = false;
          this.#note(error);
        });
      return send(command, stream, node as object | undefined);
    };
  }

  #note(error: Error): void {
    if (this.#knowsNothing || !VAGUE.test(error.message)) this.#take(diagnosed(error));
  }

  /** Of the present try. */
  get #knowsNothing(): boolean {
    return this.#last === undefined || this.#isOld;
  }

  #take(cause: Error): void {
    this.#last = cause;
    this.#isOld = false;
  }

  #closed(): void {
    if (this.#isChecking) this.#last = new Error(NOT_SERVED);
    else if (this.#last === undefined) this.#last = new Error('all nodes closed their connections');
    this.#isChecking = false;
  }
}

const SILENCE = 'no node of the cluster answers';
const NOT_SERVED =
  'the cluster is down: not all of its slots are served (cluster_state:fail); wait for a fail-over, or look at CLUSTER NODES';
