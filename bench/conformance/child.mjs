// Checks one behaviour of one pool, in a process that ends with it, and tells its parent the verdict. Whatever nobody caught counts
// against the pool: it would have ended a real application.

import { behaviours } from './behaviours/index.mjs';
import { Misbehaviour } from './check.mjs';
import { adapterOf } from './pools/index.mjs';

/** A rejection that nobody handles is known a moment later. */
const TRAILING_MS = 30;

const [poolName, behaviourName, limitMs] = process.argv.slice(2);
const { check, endsByItself } = behaviours.find(({ name }) => name === behaviourName);

process.on('uncaughtException', (error, origin) => {
  const how = origin === 'unhandledRejection' ? 'an unhandled rejection' : 'an uncaught exception';
  tell({ verdict: 'fail', why: `${how} would have ended the process`, detail: error?.message }, exit);
});
const limit = setTimeout(() => tell({ verdict: 'fail', why: 'it never came to an end' }, exit), limitMs);

const adapter = await adapterOf(poolName);
const source = await adapter.source();
const verdict = await verdictOf({ source, open: (options, wishes) => adapter.open(source, options, wishes) });
clearTimeout(limit);
tell(verdict, endsByItself ? () => process.disconnect() : exit);

async function verdictOf(given) {
  try {
    await check(given);
    await new Promise((resolve) => setTimeout(resolve, TRAILING_MS));
    return { verdict: 'pass' };
  } catch (error) {
    if (error instanceof Misbehaviour)
      return { verdict: 'fail', why: error.message, detail: error.cause?.message };
    return { verdict: 'fail', why: 'it failed with an error of its own', detail: error?.message };
  }
}

function tell(verdict, then) {
  if (process.connected) process.send(verdict, then);
}

function exit() {
  process.exit();
}
