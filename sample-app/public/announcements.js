/** What a screen reader says by itself: the turns of events, and nothing of the many numbers. */
import { find } from './dom.js';

let last;

export function announceChanges({ pools, fault, load }) {
  const now = {
    ...Object.fromEntries(pools.map(({ stats }) => [`breaker of ${stats.name}`, stats.breaker])),
    load: load.order === null ? 'stopped' : 'running',
    Redis: fault === null ? 'left alone' : { pause: 'paused', stop: 'stopped', cut: 'cut off' }[fault.kind],
  };
  const changed = Object.keys(now).filter((key) => last && now[key] !== last[key]);
  if (changed.length > 0) say(changed.map((key) => `${key}: ${now[key]}`).join(', '));
  last = now;
}

function say(text) {
  find('#announcement').textContent = text;
}
