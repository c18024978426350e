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
  #ended = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#account = parts.account ?? CAPACITY_ACCOUNT;
  }

  /** @throws what makes the server useless for a pool */
  inspect(info: ServerInfo): void {
    if (info.redis_mode === 'sentinel') throw new Error(SENTINEL);
    const { demand, expectsReplica } = this.#parts;
    const oddities = [
      info.redis_mode === 'cluster' && CLUSTER,
      info.role === 'slave' && !expectsReplica && REPLICA,
      isOld(info.redis_version) && `${OLD} This one is ${info.redis_version}`,
      !this.#ended && this.#account.enter(demand, info),
    ];
    for (const oddity of oddities) if (typeof oddity === 'string') this.#tell(oddity);
  }

  /** The pool is closed. */
  end(): void {
    this.#ended = true;
    this.#account.leave(this.#parts.demand);
  }

  #tell(oddity: string): void {
    if (this.#told.has(oddity)) return;
    this.#told.add(oddity);
    this.#parts.warn(oddity);
  }
}

const SENTINEL =
  'what listens there is a Sentinel, which keeps no data; give it in connection.sentinels, and the name of the master as connection.name';
const CLUSTER =
  'the server is a node of a cluster, and refuses keys of other nodes (MOVED); use the option cluster, unless it is the only node';
const REPLICA =
  'the server is a replica, and refuses to write (READONLY); connect to its master, or set connection.readOnly where that is meant';
const OLD = 'the server is older than Redis 6: it speaks RESP2 only and knows no users.';

const isOld = (version: string | undefined): boolean =>
  version !== undefined && Number.parseInt(version, 10) < OLDEST_WELCOME;
