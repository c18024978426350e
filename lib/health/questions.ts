import type { ResourcePool } from '../core/resource-pool.js';
import type { Question } from './probes.js';
import { readReplication, type Replication } from './replication.js';

/** A pool that can tell whether its server answers. */
interface Pingable {
  ping(options: { timeoutMs: number }): Promise<number>;
}

/** A pool whose server can be asked about itself. */
interface Inquirable extends Pingable {
  readonly commands: { info(section: string): Promise<string> };
}

export const canPing = (pool: object): pool is Pingable =>
  typeof (pool as Partial<Pingable>).ping === 'function';

export const canInquire = (pool: object): pool is Inquirable =>
  canPing(pool) && typeof (pool as Partial<Inquirable>).commands?.info === 'function';

/** How long the server takes to answer, in milliseconds. */
export const PING: Question<number> = {
  name: 'PING',
  ask: (pool, timeoutMs) => (pool as ResourcePool<unknown> & Pingable).ping({ timeoutMs }),
};

/** Where the server stands in replication; unknown where it keeps that to itself. */
export const REPLICATION: Question<Replication> = {
  name: 'INFO',
  async ask(pool, timeoutMs) {
    const { commands } = pool as ResourcePool<unknown> & Inquirable;
    // A ping gives up in time; a command would wait for a connection for as long as any caller does, and a drain for the command.
    await PING.ask(pool, timeoutMs);
    try {
      return readReplication(await commands.info('replication'));
    } catch (error) {
      if (isRefusal(error)) return { role: 'unknown' };
      throw error;
    }
  },
};

/** The server has answered, and this user may not ask that. */
const isRefusal = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';
