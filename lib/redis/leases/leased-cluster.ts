import type { Cluster, Command, Redis } from 'ioredis';
import { LeaseBrokenError } from '../../core/pool.errors.js';
import { AddedListeners } from './added-listeners.js';
import { ClusterWatch } from './cluster-watch.js';
import { disconnect } from '../opening/connection-life.js';
import { InFlight } from '../shared/in-flight.js';
import { LeasedClient, type LeasedClientMeans } from './leased-client.js';
import type { LeasedConnection, Verdict } from './leased-connection.js';
import { learnFromPipelines } from '../shared/moved-slots.js';
import { eachNode, stopSubscribers } from '../nodes.js';
import { Trouble } from '../opening/trouble.js';
import { rejected } from '../commands/malformed.js';

type Send = Cluster['sendCommand'];
type Sent = Parameters<Redis['sendCommand']>;
type Broken = (cause: unknown) => void;

/**
 * A client of a cluster in the hands of one holder after the other. Each of its connections is a leased client of its own, which sees
 * what is sent over it, and puts that right; when one of them is lost, all is lost.
 */
export class LeasedCluster implements LeasedConnection {
  readonly #client: Cluster;
  readonly #means: LeasedClientMeans;
  readonly #members = new Map<Redis, LeasedClient>();
  /** Sent by the holder, as opposed to what ioredis sends by itself. */
  readonly #sent = new WeakSet<Command>();
  readonly #inFlight = new InFlight();
  readonly #watch: ClusterWatch;
  readonly #listeners: AddedListeners;
  #broken: Broken | undefined;
  /** It was subscribed, over a connection that ioredis hides. */
  #isSpoilt = false;

  /** For a client that is ready and was not used yet. */
  constructor(client: Cluster, means: LeasedClientMeans) {
    this.#client = client;
    this.#means = means;
    this.#watch = new ClusterWatch(client, means.pool);
    learnFromPipelines(client);
    const send = client.sendCommand.bind(client) as Send;
    client.sendCommand = (command, stream, node) => {
      this.#note(command);
      return send(command, stream, this.#watch.routeOf(command, node as object | undefined));
    };
    eachNode(client, (node) => this.#admit(node));
    this.#listeners = new AddedListeners(client);
  }

  #note(command: Command): void {
    this.#sent.add(command);
    this.#inFlight.note(command);
    if (!command.name.toLowerCase().endsWith('subscribe')) return;
    if (!this.#isSpoilt) this.#watchSubscriber();
    this.#isSpoilt = true;
  }

  /** ioredis subscribes by connections that it hides, and replaces them when they are lost; nobody would hear what was missed. */
  #watchSubscriber(): void {
    const lost = () => this.#broken?.(new Error('the connection that was subscribed is lost'));
    const { subscriber } = this.#client as unknown as { subscriber: { getInstance(): Redis | null } };
    subscriber.getInstance()?.once('end', lost);
    this.#client.on('-node', lost); // those of sharded channels, too
  }

  /** A connection is opened when it is needed. What is sent meanwhile waits until it is known which commands are the holder's. */
  #admit(node: Redis): void {
    const trouble = new Trouble(node);
    if (node.status === 'ready') return this.#join(node, trouble);
    const early: Sent[] = [];
    const greet = node.sendCommand.bind(node);
    node.sendCommand = (command, stream) => {
      if (!this.#sent.has(command)) return greet(command, stream);
      early.push([command, stream]);
      if (node.status === 'wait') node.connect().catch(() => undefined); // its events tell more
      return command.promise;
    };
    const join = () => {
      node.sendCommand = greet;
      this.#join(node, trouble);
      for (const sent of early.splice(0)) node.sendCommand(...sent);
    };
    node.once('ready', () => process.nextTick(join)); // when ioredis has taken back its own listeners
    node.once('end', () => {
      const cause = causeOf(trouble);
      for (const [command] of early) command.reject(this.#lost(cause));
      if (early.length > 0) this.#broken?.(cause);
    });
  }

  #join(node: Redis, trouble: Trouble): void {
    this.#watch.observe(node);
    const member = new LeasedClient(node, { ...this.#means, cause: () => causeOf(trouble) });
    this.#members.set(node, member);
    if (this.#broken !== undefined) member.watch(this.#broken);
  }

  watch(broken: Broken): void {
    this.#broken = broken;
    for (const member of this.#members.values()) member.watch(broken);
  }

  tidy(): Verdict | Promise<Verdict> {
    if (!this.#listeners.remove() || this.#isSpoilt) return 'discard';
    const verdicts = [...this.#members.values()].map((member) => member.tidy());
    const isDone = this.#inFlight.isEmpty && verdicts.every((verdict) => typeof verdict === 'string');
    if (isDone) return this.#verdictOf(verdicts);
    return Promise.all(verdicts.map((verdict) => Promise.resolve(verdict))).then((all) =>
      this.#verdictOf(all),
    );
  }

  #verdictOf(verdicts: readonly Verdict[]): Verdict {
    if (!this.#inFlight.isEmpty || verdicts.includes('discard')) return 'discard';
    this.#watch.forget();
    return 'keep';
  }

  interrupt(reason: unknown): Promise<void> | undefined {
    const interruptions = [...this.#members.values()].flatMap((member) => member.interrupt(reason) ?? []);
    return interruptions.length > 0 ? Promise.all(interruptions).then(() => undefined) : undefined;
  }

  async close(): Promise<void> {
    this.#client.sendCommand = (command) => rejected(command, this.#lost(undefined));
    stopSubscribers(this.#client);
    await Promise.all([...this.#members.values()].map((member) => member.close()));
    await disconnect(this.#client);
  }

  #lost(cause: Error | undefined): LeaseBrokenError {
    const what =
      cause === undefined ? 'the connection was closed while it was leased' : 'a node could not be reached';
    return new LeaseBrokenError(this.#means.pool, what, cause);
  }
}

const causeOf = (trouble: Trouble): Error => trouble.cause ?? new Error('the server closed the connection');
