/** The recent events, the latest first. */
import { clock, element, find } from './dom.js';

let shown;

export function showHappenings(happenings) {
  const state = happenings.map(({ number, count }) => `${number}:${count}`).join();
  if (state === shown) return;
  shown = state;
  const items =
    happenings.length === 0 ? [element('li', {}, 'Nothing yet.')] : happenings.toReversed().map(itemOf);
  find('#happenings').replaceChildren(...items);
}

function itemOf({ at, source, level, text, count }) {
  const item = element(
    'li',
    {},
    element('time', { dateTime: new Date(at).toISOString() }, clock(at)),
    element('b', {}, source),
    element('span', {}, text, count > 1 ? element('span', { className: 'count' }, ` × ${count}`) : ''),
  );
  item.dataset.level = level;
  return item;
}
