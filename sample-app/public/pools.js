/* global document, EventSource */

/** The bars and numbers of `GET /pools/stream`, a card for each pool. */

const RECONNECT_MS = 2_000;

const connection = document.querySelector('#connection');
const template = document.querySelector('#pool');
const cards = new Map();

connect();

function connect() {
  const events = new EventSource('pools/stream');
  events.onopen = () => showConnection('live');
  events.onmessage = ({ data }) => showPool(JSON.parse(data));
  events.onerror = () => {
    showConnection('reconnecting …');
    // It tries again by itself, unless it was answered by something else than a stream.
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, RECONNECT_MS);
  };
}

function showConnection(state) {
  connection.dataset.state = state;
  connection.textContent = state;
}

function showPool(stats) {
  const card = cards.get(stats.name) ?? addCard(stats.name);
  card.querySelector('.badge').dataset.state = stats.state;
  for (const bar of card.querySelectorAll('[data-bar]')) {
    const count = stats[bar.dataset.bar];
    bar.hidden = count === undefined; // only some kinds of pools share
    bar.style.setProperty('--share', count / stats.max);
  }
  for (const element of card.querySelectorAll('[data-show]')) {
    element.textContent = textOf(stats, element.dataset.show);
  }
}

function addCard(name) {
  document.querySelector('#pools').append(template.content.cloneNode(true));
  const card = document.querySelector('#pools').lastElementChild;
  cards.set(name, card);
  return card;
}

function textOf(stats, path) {
  const value = path.split('.').reduce((part, key) => part[key], stats);
  return value?.toLocaleString('en', { maximumFractionDigits: 2 }) ?? '';
}
