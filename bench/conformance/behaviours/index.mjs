import creating from './creating.mjs';
import keeping from './keeping.mjs';
import leases from './leases.mjs';
import limits from './limits.mjs';
import shutdown from './shutdown.mjs';
import telling from './telling.mjs';
import waiting from './waiting.mjs';

/** What a pool should do, in groups. */
export const groups = [limits, waiting, leases, creating, keeping, shutdown, telling];

export const behaviours = groups.flatMap((group) => group.behaviours);
