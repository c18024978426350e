import { ReplyError, type Cluster, type Command } from 'ioredis';
import { PoolClosedError, PoolError, PoolUnavailableError } from '../../core/pool.errors.js';
import { AnswerWatch } from './answer-watch.js';
import { ClusterTrouble } from '../opening/cluster-trouble.js';
import { titleOf } from '../commands/command-rules.js';
import { disconnect } from '../opening/connection-life.js';
import { InFlight } from './in-flight.js';
import { learnFromPipelines } from './moved-slots.js';
import { eachNode } from '../nodes.js';
import type { SharedClient, SharedConnectionParts } from './shared-connection.js';
import { attendToNode, sentTo } from './shared-node.js';
import { settles } from '../within.js';
import { refuseMalformed } from '../commands/malformed.js';

type Send = Cluster['sendCommand'];

/**
 * A client of a cluster that all callers share. ioredis finds the node for each command and sends it again when that is lost; this
 * watches over it, and lets it finish at the end.
 */
export class SharedCluster implements SharedClient {
  readonly client: Cluster;
  readonly trouble: ClusterTrouble;
  /** One node may be slow; the others are none the slower for it. */
  readonly headOfLine: SharedClient['headOfLine'] = { look: () => undefined, isOvertaken: false };
  readonly #parts: SharedConnectionParts;
  readonly #inFlight = new InFlight();
  readonly #watch: AnswerWatch | undefined;
  #finishing = false;
  #closing = false;
  #wasReady = false;

  constructor(client: Cluster, parts: SharedConnectionParts) {
    this.client = client;
    this.trouble = new ClusterTrouble(client);
    this.#parts = parts;
    learnFromPipelines(client);
    refuseMalformed(client, parts.pool);
    this.#listen();
    eachNode(client, (node) => attendToNode(node, parts));
    this.#watch = this.#watchAnswers();
    client.on('ready', () => {
      this.#wasReady = true;
      parts.changes.tell();
    });
    client.on('close', () => parts.changes.tell());
    client.once('end', () => this.#watch?.stop());
    client.connect().catch(() => undefined); // its events tell more
  }

  get isReady(): boolean {
    return this.client.status === 'ready' && !this.#finishing;
  }

  get wasReady(): boolean {
    return this.#wasReady;
  }

  get isFinishing(): boolean {
    return this.#finishing;
  }

  get load(): number {
    return this.client.nodes().reduce((sum, { commandQueue }) => sum + commandQueue.length, 0);
  }

  finish(timeoutMs: number): Promise<boolean> {
    this.#finishing = true;
    return settles(this.#inFlight.settled(), Math.max(1, timeoutMs));
  }

  async close(timeoutMs: number): Promise<boolean> {
    this.#closing = true;
    const closed = new PoolClosedError(this.#parts.pool, 'closed');
    for (const command of this.#inFlight) command.reject(closed);
    return settles(disconnect(this.client), timeoutMs);
  }

  /** A pipeline that is redirected is sent again by the errors of ioredis, so these are left as they are. */
  #listen(): void {
    const { client } = this;
    const send = client.sendCommand.bind(client) as Send;
    client.sendCommand = (command, stream, node) => {
      this.#inFlight.note(command);
      if (command.pipelineIndex === undefined) {
        const { reject } = command;
        command.reject = (error) => reject(this.#failure(error, command));
      }
      return send(command, stream, node as object | undefined);
    };
  }

  #watchAnswers(): AnswerWatch | undefined {
    const { pool, commandTimeoutMs: timeoutMs, changes } = this.#parts;
    if (timeoutMs === 0) return undefined;
    const late = (commands: Command[]) => {
      const sent = new Set(this.client.nodes().flatMap((node) => [...sentTo(node)]));
      for (const command of commands) {
        // Of a pipeline that ioredis is about to send again: it does not hear of what happens to its commands meanwhile.
        if (command.pipelineIndex !== undefined && !sent.has(command)) continue;
        const what = `${titleOf(command.name, command.args)} was not answered within ${timeoutMs} ms`;
        command.reject(new PoolUnavailableError(pool, what, this.trouble.ofNode ?? new Error(BUSY)));
      }
      changes.tell();
    };
    return new AnswerWatch({ unanswered: this.#inFlight, timeoutMs, late });
  }

  /** What the caller of a command hears when ioredis fails it. */
  #failure(error: Error, { name, args }: Command): Error {
    if (error instanceof ReplyError || error instanceof PoolError) return error;
    const { pool } = this.#parts;
    if (this.#closing) return new PoolClosedError(pool, 'closed');
    const what = `the node was lost before ${titleOf(name, args)} was answered`;
    return new PoolUnavailableError(pool, what, this.trouble.ofNode ?? new Error(error.message));
  }
}

const BUSY = 'the node is busy, or silent';
