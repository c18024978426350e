import { PoolError } from '../../core/pool.errors.js';

const ADVICE: Readonly<Record<string, string>> = {
  MULTI: 'use commands.multi()…exec(), or do it all on a connection of your own: pool.use((redis) => …)',
  MONITOR: 'make a client of your own for it',
  QUIT: 'the pool closes its connections when it is drained',
};

/** The error for a command that would change a connection which others use at the same time. */
export function refusal(pool: string, command: string): PoolError {
  const advice = ADVICE[command] ?? 'take a connection of your own for it: pool.use((redis) => …)';
  return new PoolError(
    'ERR_POOL_COMMAND_REFUSED',
    pool,
    `${command} is refused on commands, for it changes a connection that other callers use, too; ${advice}`,
  );
}
