import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisOptions } from 'ioredis';
import { eventually } from './eventually.js';
import { RedisNode } from './redis-node.js';

const MASTERS = 3;
const SLOTS = 16_384;
const MIGRATE_TIMEOUT_MS = 5_000;
const HIGHEST_PORT = 55_535; // a node also listens at its port + 10,000

const SETTINGS = [
  'cluster-enabled yes',
  'cluster-node-timeout 1000',
  'cluster-replica-validity-factor 0',
  'cluster-allow-replica-migration no',
  'repl-diskless-sync-delay 0',
];

/** How a cluster differs from one that is open to everybody. */
export interface ClusterSetup {
  /** Whether each master has a replica. Default: true. */
  readonly hasReplicas?: boolean;
  /** Further lines of the configuration of each node. */
  readonly config?: readonly string[];
  /** The nodes speak TLS and nothing else, and only with those who have a certificate that is `trusted`: files. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly trusted: string };
  /** How the orders of these tests reach the nodes. */
  readonly access?: RedisOptions;
}

/** How one node sees another. */
interface Member {
  readonly id: string;
  readonly port: number;
  readonly flags: readonly string[];
  readonly masterId: string;
  readonly slots: readonly (readonly [from: number, to: number])[];
}

/** Three masters, with a replica each, which fail over within two seconds or so. */
export class RedisCluster {
  readonly #nodes: readonly RedisNode[];
  /** Where the nodes remember who they are, also when they have died. */
  readonly #memory: string;

  private constructor(nodes: readonly RedisNode[], memory: string) {
    this.#nodes = nodes;
    this.#memory = memory;
  }

  static async start(setup: ClusterSetup = {}): Promise<RedisCluster> {
    const memory = await mkdtemp(join(tmpdir(), 'redis-cluster-'));
    const count = setup.hasReplicas === false ? MASTERS : 2 * MASTERS;
    const starting = Array.from({ length: count }, (_, at) => startNode(join(memory, `${at}.conf`), setup));
    const cluster = new RedisCluster(await Promise.all(starting), memory);
    await cluster.#introduce();
    await cluster.healed();
    return cluster;
  }

  /** Where all the nodes are. */
  get addresses(): { host: string; port: number }[] {
    return this.#nodes.map((node) => node.address);
  }

  get nodes(): readonly RedisNode[] {
    return this.#nodes;
  }

  /** Who has the slot of `key`. */
  async masterOf(key: string): Promise<RedisNode> {
    const slot = await this.slotOf(key);
    const owner = (await this.#members()).find((member) => has(member, slot));
    return this.#nodeOf(owner!);
  }

  /** Two keys on different nodes. */
  async keysOfTwoMasters(): Promise<[string, string]> {
    const keys = Array.from({ length: 30 }, (_, at) => `key-${at}`);
    const masters = await Promise.all(keys.map((key) => this.masterOf(key)));
    return [keys[0]!, keys.find((_, at) => masters[at] !== masters[0])!];
  }

  slotOf(key: string): Promise<number> {
    return this.#alive.call('CLUSTER', 'KEYSLOT', key);
  }

  /** Resolves when somebody else has the slot of `key`, and all who live agree that the cluster works. */
  async promoted(former: RedisNode, key: string): Promise<RedisNode> {
    await eventually(
      'a replica is promoted',
      async () => (await this.masterOf(key)) !== former && this.#works(),
    );
    return this.masterOf(key);
  }

  /** Resolves when every node is there, each master has its replica if there are any, and all agree on it. */
  async healed(): Promise<void> {
    const replicas = String(this.#nodes.length / MASTERS - 1);
    await eventually('the cluster is whole', async () => {
      const replicated = async (node: RedisNode) =>
        (await node.info('replication', 'role')) === 'slave'
          ? (await node.info('replication', 'master_link_status')) === 'up'
          : (await node.info('replication', 'connected_slaves')) === replicas;
      return (await this.#works()) && (await Promise.all(this.#nodes.map(replicated))).every(Boolean);
    });
  }

  /** Moves a slot with all its keys, one key after the other, as the documentation of `CLUSTER SETSLOT` describes it. */
  async moveSlot(slot: number, source: RedisNode, target: RedisNode): Promise<void> {
    const [sourceId, targetId] = await Promise.all([idOf(source), idOf(target)]);
    await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', sourceId);
    await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', targetId);
    for (;;) {
      const keys = await source.call<string[]>('CLUSTER', 'GETKEYSINSLOT', slot, 10);
      if (keys.length === 0) break;
      for (const key of keys)
        await source.call('MIGRATE', target.host, target.port, key, 0, MIGRATE_TIMEOUT_MS);
    }
    for (const node of [target, source]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId);
  }

  /** Moves those of the slots that `source` has, one after the other; how many that were. */
  async moveSlots(slots: readonly number[], source: RedisNode, target: RedisNode): Promise<number> {
    const owner = (await this.#members()).find(({ port }) => port === source.port)!;
    const its = new Set(slots.filter((slot) => has(owner, slot)));
    for (const slot of its) await this.moveSlot(slot, source, target);
    return its.size;
  }

  /** Who is connected to the nodes, beside each other. */
  async clients(): Promise<string[]> {
    return (await Promise.all(this.#living.map((node) => node.clients()))).flat();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    await rm(this.#memory, { recursive: true });
  }

  async #introduce(): Promise<void> {
    const [first, ...others] = this.#nodes as [RedisNode, ...RedisNode[]];
    const masters = this.#nodes.slice(0, MASTERS);
    const bounds = (at: number) => Math.floor((SLOTS * at) / MASTERS);
    for (const [at, master] of masters.entries())
      await master.call('CLUSTER', 'ADDSLOTSRANGE', bounds(at), bounds(at + 1) - 1);
    for (const [at, node] of this.#nodes.entries()) await node.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1);
    for (const { host, port } of others) await first.call('CLUSTER', 'MEET', host, port);
    await eventually('the nodes know each other', () => this.#works());
    for (const [at, replica] of this.#nodes.slice(MASTERS).entries())
      await replica.call('CLUSTER', 'REPLICATE', await idOf(masters[at]!));
  }

  get #living(): readonly RedisNode[] {
    return this.#nodes.filter((node) => node.isAlive);
  }

  get #alive(): RedisNode {
    return this.#living[0]!;
  }

  async #works(): Promise<boolean> {
    const views = await Promise.all(
      this.#living.map(async (node) => {
        const [state, members] = await Promise.all([node.info('cluster', 'cluster_state'), membersFor(node)]);
        const isKnown =
          members.length === this.#nodes.length && !members.some(({ flags }) => flags.includes('handshake'));
        const owners = members.flatMap(({ port, slots }) =>
          slots.map((range) => `${port}:${range.join('-')}`),
        );
        return state === 'ok' && isKnown && owners.sort().join();
      }),
    );
    return views.every((view) => view !== false && view === views[0]);
  }

  #members(): Promise<Member[]> {
    return membersFor(this.#alive);
  }

  #nodeOf({ port }: Member): RedisNode {
    return this.#nodes.find((node) => node.port === port)!;
  }
}

async function startNode(memory: string, { config = [], tls, access }: ClusterSetup): Promise<RedisNode> {
  const lines = [...SETTINGS, `cluster-config-file ${memory}`, ...config];
  if (tls === undefined) return RedisNode.start({ config: lines, access });
  const port = await freePort();
  return RedisNode.start({ port, config: [...lines, ...tlsAlone(port, tls)], access });
}

const tlsAlone = (port: number, { cert, key, trusted }: NonNullable<ClusterSetup['tls']>): string[] => [
  'port 0',
  `tls-port ${port}`,
  'tls-cluster yes',
  `tls-cert-file ${cert}`,
  `tls-key-file ${key}`,
  `tls-ca-cert-file ${trusted}`,
];

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port <= HIGHEST_PORT ? port : freePort();
}

const has = ({ slots }: Member, slot: number): boolean =>
  slots.some(([from, to]) => from <= slot && slot <= to);

const idOf = (node: RedisNode): Promise<string> => node.call('CLUSTER', 'MYID');

/** `<id> <ip:port@cport> <flags> <master> <ping> <pong> <epoch> <link> <slots> …`, a line each. */
async function membersFor(node: RedisNode): Promise<Member[]> {
  const lines = (await node.call<string>('CLUSTER', 'NODES')).trim().split('\n');
  return lines.map((line) => {
    const [id = '', address = '', flags = '', masterId = '', , , , , ...slots] = line.split(' ');
    const ranges = slots
      .filter((range) => !range.startsWith('['))
      .map((range) => range.split('-').map(Number));
    return {
      id,
      port: Number(/:(\d+)@/.exec(address)?.[1]),
      flags: flags.split(','),
      masterId,
      slots: ranges.map(([from = 0, to = from]) => [from, to] as const),
    };
  });
}
