import { eventually } from './eventually.js';
import { RedisNode } from './redis-node.js';

/** A sentinel that was held up for two seconds does nothing for thirty (TILT mode). */
const PROMOTED_WITHIN_MS = 90_000;

const NAME = 'cache';
const SENTINELS = 3;
const QUORUM = 2;

const REPLICATION = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];

/** Sentinel's own clockwork, which is made for wide networks; servers before 7.0 do not let it be sped up. */
const QUICK = ['info-period', '200', 'publish-period', '200', 'ask-period', '100', 'ping-period', '100'];

/** A primary with a replica, and three sentinels that watch over them and fail over within a second or two. */
export class RedisSentinels {
  readonly name = NAME;
  readonly #nodes: readonly RedisNode[];
  readonly #sentinels: readonly RedisNode[];

  private constructor(nodes: readonly RedisNode[], sentinels: readonly RedisNode[]) {
    this.#nodes = nodes;
    this.#sentinels = sentinels;
  }

  static async start(): Promise<RedisSentinels> {
    const primary = await RedisNode.start({ args: REPLICATION });
    const { host, port } = primary;
    const replica = await RedisNode.start({ args: [...REPLICATION, '--replicaof', host, String(port)] });
    const config = [
      `sentinel monitor ${NAME} ${host} ${port} ${QUORUM}`,
      `sentinel down-after-milliseconds ${NAME} 700`,
      `sentinel failover-timeout ${NAME} 2000`,
    ];
    const sentinels = await Promise.all(
      Array.from({ length: SENTINELS }, () => RedisNode.start({ args: ['--sentinel'], config })),
    );
    const started = new RedisSentinels([primary, replica], sentinels);
    for (const sentinel of sentinels)
      await sentinel.call('SENTINEL', 'DEBUG', ...QUICK).catch(() => undefined);
    await started.healed();
    return started;
  }

  /** Where the sentinels are. */
  get addresses(): { host: string; port: number }[] {
    return this.#sentinels.map((sentinel) => sentinel.address);
  }

  /** The node that the sentinels take for the primary. */
  async primary(): Promise<RedisNode> {
    const [, port] = await this.#sentinels[0]!.call<[string, string]>(
      'SENTINEL',
      'GET-MASTER-ADDR-BY-NAME',
      NAME,
    );
    return this.#nodes.find((node) => node.port === Number(port))!;
  }

  /** Resolves when a node other than `former` is the primary, and says that it is. */
  async promoted(former: RedisNode): Promise<RedisNode> {
    const isPromoted = async () => {
      const primary = await this.primary();
      return primary !== former && (await primary.info('replication', 'role')) === 'master';
    };
    await eventually('a replica is promoted', isPromoted, PROMOTED_WITHIN_MS);
    return this.primary();
  }

  /** A planned change of roles. */
  async failOver(): Promise<void> {
    await this.#sentinels[0]!.call('SENTINEL', 'FAILOVER', NAME);
  }

  /** Resolves when the replica follows the primary, and every sentinel knows that, and all the others. */
  async healed(): Promise<void> {
    await eventually('the replica follows the primary and the sentinels know it', async () => {
      const primary = await this.primary();
      if ((await primary.info('replication', 'slave0'))?.includes('state=online') !== true) return false;
      return (await Promise.all(this.#sentinels.map(isContent))).every(Boolean);
    });
  }

  /** Who is connected to the nodes, beside each other. */
  async clients(): Promise<string[]> {
    return (await Promise.all(this.#nodes.map((node) => node.clients()))).flat();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sentinels, ...this.#nodes].map((node) => node.stop()));
  }
}

async function isContent(sentinel: RedisNode): Promise<boolean> {
  const primary = fields(await sentinel.call('SENTINEL', 'MASTER', NAME));
  const [replica] = (await sentinel.call<unknown[]>('SENTINEL', 'REPLICAS', NAME)).map(fields);
  return (
    primary.flags === 'master' &&
    primary['num-other-sentinels'] === String(SENTINELS - 1) &&
    replica?.flags === 'slave' &&
    replica['master-link-status'] === 'ok' &&
    replica['master-port'] === primary.port
  );
}

/** In RESP3 they come as a map, or as a list of names and values. */
function fields(reply: unknown): Record<string, string> {
  if (!Array.isArray(reply)) return reply as Record<string, string>;
  return Object.fromEntries(
    reply.flatMap((name: string, at) => (at % 2 === 0 ? [[name, reply[at + 1] as string]] : [])),
  );
}
