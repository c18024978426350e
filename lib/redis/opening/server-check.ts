import type { ServerInfo } from './attendance.js';
import { CAPACITY_ACCOUNT, type CapacityAccount, type Demand } from './server-capacity.js';

/** The first one that knows RESP3, users, and what else the pool would like to have. */
const OLDEST_WELCOME = 6;

interface Parts {
  readonly demand: Demand;
  /** The pool is meant to read from a replica. */
  readonly expectsReplica: boolean;
  readonly warn: (message: string) => void;
  readonly account?: CapacityAccount;
}

/** Looks at each server that a pool is connected to, and says once what is odd about it. */
export class ServerCheck {
  readonly #parts: Parts;
  readonly #account: CapacityAccount;
  readonly #told = new Set<string>();
  /** What is asked of the nodes of a cluster, by their addresses. */
  readonly #ofNodes = new Map<string, Demand>();
  #ended = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#account = parts.account ?? CAPACITY_ACCOUNT;
  }

  /** @throws what makes the server useless for a pool */
  inspect(info: ServerInfo): void {
    if (info.redis_mode === 'sentinel') throw new Error(SENTINEL);
    const { demand, expectsReplica } = this.#parts;
    this.#tell(info.redis_mode === 'cluster' && CLUSTER);
    this.#tell(info.role === 'slave' && !expectsReplica && REPLICA);
    this.#tell(ageOf(info));
    this.#tell(this.#crowdAt(demand, info));
  }

  /** A node of the cluster that the pool is for. What is as odd about others is said of the first only. */
  inspectNode(address: string, info: ServerInfo): void {
    const at = `node ${address} of the cluster: `;
    this.#tell(ageOf(info), at);
    this.#tell(this.#crowdAt(this.#demandOf(address), info), at);
  }

  /** The pool is closed. */
  end(): void {
    this.#ended = true;
    for (const demand of [this.#parts.demand, ...this.#ofNodes.values()]) this.#account.leave(demand);
  }

  #crowdAt(demand: Demand, info: ServerInfo): string | undefined {
    return this.#ended ? undefined : this.#account.enter(demand, info);
  }

  /** Each client of a cluster may have a connection to each node. */
  #demandOf(address: string): Demand {
    const { demand } = this.#parts;
    const ofNode = this.#ofNodes.get(address) ?? {
      pool: demand.pool,
      get max() {
        return demand.max;
      },
    };
    this.#ofNodes.set(address, ofNode);
    return ofNode;
  }

  #tell(oddity: string | false | undefined, at = ''): void {
    if (!oddity || this.#told.has(oddity)) return;
    this.#told.add(oddity);
    this.#parts.warn(at + oddity);
  }
}

const SENTINEL =
  'what listens there is a Sentinel, which keeps no data; give it in connection.sentinels, and the name of the master as connection.name';
const CLUSTER =
  'the server is a node of a cluster, and refuses keys of other nodes (MOVED); use the option cluster, unless it is the only node';
const REPLICA =
  'the server is a replica, and refuses to write (READONLY); connect to its master, or set connection.readOnly where that is meant';
const OLD = 'the server is older than Redis 6: it speaks RESP2 only and knows no users.';

const ageOf = ({ redis_version: version }: ServerInfo): string | undefined =>
  version !== undefined && Number.parseInt(version, 10) < OLDEST_WELCOME
    ? `${OLD} This one is ${version}`
    : undefined;
