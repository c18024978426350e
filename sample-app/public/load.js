/* global document, FormData */

/** The load that the server makes for its own pools. */
import { find, number, request } from './dom.js';

const form = find('#load');
const button = find('button', form);
const status = find('#load-status');
const HINT = 'A round stores a text and reads it back, or borrows a connection for a moment.';

let isRunning = false;

form.addEventListener('input', showChoice);
form.addEventListener('change', () => isRunning && start());
form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (isRunning) ask('DELETE');
  else start();
});
showChoice();

export function showLoad(load, now) {
  isRunning = load.order !== null;
  if (isRunning && !form.contains(document.activeElement)) choose(load.order); // somebody else may have started it
  button.textContent = isRunning ? 'Stop the load' : 'Start the load';
  button.classList.toggle('contrast', isRunning);
  status.textContent = wordsFor(load, now);
}

function wordsFor({ order, until, inFlight, done, failed, skipped }, now) {
  if (order === null && done + failed + inFlight === 0) return HINT;
  return [
    order === null ? 'Stopped' : `Running, for ${Math.ceil((until - now) / 1_000)} s more`,
    `${number(done)} rounds done`,
    `${number(failed)} failed`,
    `${number(skipped)} skipped`,
    `${number(inFlight)} in flight`,
  ].join(' · ');
}

function start() {
  const { perSecond, bytes } = Object.fromEntries(new FormData(form));
  return ask('PUT', { perSecond: Number(perSecond), bytes: Number(bytes) });
}

async function ask(method, order) {
  try {
    await request('load', method, order);
  } catch (error) {
    status.textContent = error.message;
  }
}

function choose({ perSecond, bytes }) {
  form.elements.perSecond.value = perSecond;
  form.elements.bytes.value = bytes;
  showChoice();
}

function showChoice() {
  find('#per-second-shown').textContent = form.elements.perSecond.value;
}
