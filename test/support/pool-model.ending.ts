import { getEventListeners } from 'node:events';
import { jest } from '@jest/globals';
import { elapse } from './pool-model.clock.js';
import type { PoolModel } from './pool-model.js';

/** Long enough for all that is under way to end once everything works, for a pause after failures, and for what is idle to go. */
const RECOVERY = { rounds: 25, ms: 100 };

const SLOWEST_CALL_MS = 250;

/** Once everything works and everybody gives back what he has, a pool is as good as new; and then it ends without a trace. */
export async function endWell(model: PoolModel): Promise<void> {
  model.isLively = false;
  model.factory.behave();
  if (model.isDraining) await finish(model);
  else await recover(model);
  model.drain(100);
  await elapse(0);
  leavesNothing(model);
  model.speakUp();
}

/** Waits for no longer than the drain and the slowest call of the factory take, so that a timer of the pool's that is left shows. */
async function finish(model: PoolModel): Promise<void> {
  await elapse(Math.max(0, model.drainsBy - performance.now()) + model.options.destroyTimeoutMs);
  model.callers.endAll();
  await elapse(SLOWEST_CALL_MS);
  model.check();
}

async function recover(model: PoolModel): Promise<void> {
  const { pool, callers } = model;
  pool.resume();
  await everybodyEnds(model);
  await lendsAll(model);
  await everybodyEnds(model);
  const { leased, creating, closing, size, min } = pool.stats();
  const isTooMuch = model.options.idleTimeoutMs > 0 && size > min;
  if (callers.waiting.size > 0) model.complain(`${callers.waiting.size} wait for ever`);
  if (leased + creating + closing > 0) model.complain('the pool does not come to rest');
  if (size < min || isTooMuch) model.complain(`${size} are left of ${min}`);
  await rest(model);
}

async function everybodyEnds(model: PoolModel): Promise<void> {
  for (let round = 0; round < RECOVERY.rounds; round += 1) {
    model.callers.endAll();
    await elapse(RECOVERY.ms);
    model.check();
  }
}

/** No slot was lost: as many as there may be can be had at once. */
async function lendsAll(model: PoolModel): Promise<void> {
  const { pool, callers } = model;
  const { max } = pool.stats();
  pool.resize({}); // replaces what has just grown too old
  await elapse(0);
  for (let number = 0; number < max; number += 1) callers.ask({ priority: 'low', timeoutMs: 1_000 });
  await elapse(0);
  if (callers.holding < max) model.complain(`only ${callers.holding} of ${max} can be lent`);
}

/** Nothing is replaced that is good for ever. */
async function rest(model: PoolModel): Promise<void> {
  const { created } = model.pool.stats();
  await elapse(1_000);
  const more = model.pool.stats().created - created;
  if (more > 0 && model.options.maxLifetimeMs === 0) model.complain(`${more} are replaced for nothing`);
  model.check();
}

function leavesNothing(model: PoolModel): void {
  const { pool, callers, factory, clients } = model;
  const left = {
    callers: callers.waiting.size + callers.holds.size + callers.pending,
    resources: pool.stats().size + factory.left,
    timers: jest.getTimerCount(),
    listeners: clients.flatMap(({ signal }) => getEventListeners(signal, 'abort')).length,
    subscribers: model.subscribed,
  };
  for (const [what, count] of Object.entries(left)) if (count !== 0) model.complain(`${count} ${what} left`);
  if (pool.state !== 'closed') model.complain(`the pool is ${pool.state}`);
}
