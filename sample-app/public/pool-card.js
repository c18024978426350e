/** One pool: its slots, its last minute, its numbers. */
import { Chart } from './chart.js';
import { bytes, element, find, number } from './dom.js';
import { History } from './history.js';
import { chartsOf, columnsOf } from './pool-series.js';

/** What a slot can be, in the order in which they are drawn. */
const STATES = ['shared', 'leased', 'idle', 'creating', 'closing', 'free'];

export class PoolCard {
  constructor(parent, reading) {
    parent.append(find('#pool').content.cloneNode(true));
    this.root = parent.lastElementChild;
    this.root.dataset.pool = reading.stats.name;
    this.history = new History(columnsOf(reading));
    this.charts = chartsOf(reading).map(
      (chart) => new Chart(find('.charts', this.root), chart, this.history),
    );
    this.details = find('details', this.root);
    this.details.addEventListener('toggle', () => this.showTable());
  }

  show(reading, at) {
    this.showSlots(reading.stats);
    this.showText(reading);
    this.history.add(at, reading);
    this.drawCharts();
    this.showTable();
  }

  drawCharts() {
    for (const chart of this.charts) chart.draw();
  }

  markGap() {
    this.history.addGap();
  }

  showSlots(stats) {
    const counts = { ...stats, free: Math.max(0, stats.max - stats.size) };
    const states = STATES.flatMap((state) => Array(counts[state] ?? 0).fill(state));
    const slots = find('.slots', this.root);
    while (slots.children.length < states.length) slots.append(element('i'));
    while (slots.children.length > states.length) slots.lastElementChild.remove();
    states.forEach((state, at) => (slots.children[at].dataset.state = state));
    fill(
      find('.legend', this.root),
      'li',
      STATES.filter((state) => state in counts).map((state) => [state, counts[state]]),
    );
  }

  showText({ stats, redis }) {
    for (const each of this.root.querySelectorAll('[data-show]')) {
      each.textContent = textOf(each.dataset.show.split('.').reduce((part, key) => part[key], stats));
    }
    this.showPill('state', stats.state === 'open', stats.state);
    this.showPill('connection', redis?.isConnected, redis?.isConnected ? 'connected' : 'disconnected');
    this.showPill('breaker', stats.breaker === 'closed', `breaker ${stats.breaker}`);
    fill(find('dl', this.root), 'div', countersOf(stats));
  }

  showPill(name, isGood, text) {
    const pill = find(`[data-pill=${name}]`, this.root);
    pill.hidden = isGood === undefined;
    pill.dataset.good = isGood;
    pill.textContent = text;
  }

  /** As seldom read as it is, it is written only while it is open. */
  showTable() {
    if (this.details.open) this.history.writeTo(find('.history', this.root));
  }
}

const textOf = (value) => (typeof value === 'number' ? number(value) : value);

/** Names and values; what is there already is only changed, so that nothing jumps for those who read it. */
function fill(list, tag, entries) {
  const [nameTag, valueTag] = tag === 'div' ? ['dt', 'dd'] : ['span', 'b'];
  entries.forEach(([name, value], at) => {
    const item = list.children[at] ?? list.appendChild(element(tag, {}, element(nameTag), element(valueTag)));
    item.dataset.state = name;
    item.firstElementChild.textContent = name;
    item.lastElementChild.textContent = textOf(value);
  });
}

function countersOf({ acquired, created, destroyed, timeouts, createFailures, compressed, decompressed }) {
  const counters = [
    ['leases', acquired],
    ['timeouts', timeouts],
    ['opened', created],
    ['closed', destroyed],
    ['failed to open', createFailures],
  ];
  if (compressed === undefined) return counters;
  return [
    ...counters,
    ['compressed', bytes(compressed.bytesIn)],
    ['bytes saved', bytes(compressed.bytesIn - compressed.bytesOut)],
    ['ratio', `${number(compressed.ratio)} : 1`],
    ['decompressed', bytes(decompressed.bytesOut)],
  ];
}
