/**
 * `open` lends; `suspended` lets callers wait; `draining` finishes what it began and takes nothing new; `closed` holds nothing.
 *
 * @publicApi
 */
export type PoolState = 'open' | 'suspended' | 'draining' | 'closed';
