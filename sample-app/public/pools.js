/** The cards of all pools. */
import { PoolCard } from './pool-card.js';
import { find } from './dom.js';

const cards = new Map();

export function showPools(readings, at) {
  for (const reading of readings) cardOf(reading).show(reading, at);
}

/** What happened before this page came, or while it was cut off. */
export function recall(beats) {
  for (const { at, pools } of beats) for (const reading of pools) cardOf(reading).history.add(at, reading);
  for (const card of cards.values()) card.drawCharts();
}

/** Nothing is known from here on, until there is a beat again. */
export function markGap() {
  for (const card of cards.values()) card.markGap();
}

function cardOf(reading) {
  const { name } = reading.stats;
  if (!cards.has(name)) cards.set(name, new PoolCard(find('#pools'), reading));
  return cards.get(name);
}
