import type { ServerInfo } from './attendance.js';

/** What one pool may ask of a server; of a cluster, it asks that of each node. */
export interface Demand {
  readonly pool: string;
  /** Connections; read anew each time, for it may change. */
  readonly max: number;
}

interface Server {
  readonly demands: Set<Demand>;
  told: boolean;
}

/**
 * Adds up how many connections pools may open to one and the same server, whatever address they know it by. A server is known by its
 * run_id, which it draws when it starts.
 */
export class CapacityAccount {
  readonly #servers = new Map<string, Server>();

  /** Notes that a pool is connected to that server, and to no other. Returns a warning when all together ask for too much: once. */
  enter(demand: Demand, info: ServerInfo): string | undefined {
    const { run_id: id } = info;
    const accepted = Number(info.maxclients) - linksOf(info);
    if (id === undefined || !(accepted > 0)) return undefined;
    const server = this.#servers.get(id) ?? { demands: new Set(), told: false };
    if (!server.demands.has(demand)) this.leave(demand);
    this.#servers.set(id, server);
    server.demands.add(demand);
    const demanded = [...server.demands].reduce((sum, { max }) => sum + max, 0);
    if (server.told || demanded <= accepted) return undefined;
    server.told = true;
    return tooMuch([...server.demands], demanded, info);
  }

  /** The pool opens nothing any more. */
  leave(demand: Demand): void {
    for (const [id, { demands }] of this.#servers)
      if (demands.delete(demand) && demands.size === 0) this.#servers.delete(id);
  }
}

/** Of all pools of this process, those of several applications included. */
export const CAPACITY_ACCOUNT = new CapacityAccount();

/** A node counts what connects it to the others of its cluster as clients. */
const linksOf = ({ cluster_connections: links = '0' }: ServerInfo): number => Number(links);

function tooMuch(demands: readonly Demand[], demanded: number, info: ServerInfo): string {
  const links = linksOf(info);
  const shares = demands.map(({ pool, max }) => `"${pool}" ${max}`).join(', ');
  const less = links > 0 ? `, less ${links} by which it is connected to its cluster` : '';
  return (
    `the pools of this process may open ${demanded} connections to one server (max: ${shares}), which accepts ` +
    `${Number(info.maxclients) - links} from all its clients together (maxclients${less}): lower max, or raise maxclients`
  );
}
