/* global FormData */

/** The forms that store a snippet and read it back. */
import { find, number, request } from './dom.js';

const outcome = find('#outcome');
const snippet = find('#snippet');
const store = find('#store');
const read = find('#read');

store.addEventListener('submit', (event) => {
  const { text, ttlSeconds } = Object.fromEntries(new FormData(store));
  submit(event, async () => {
    const response = await request('snippets', 'POST', { text, ttlSeconds: Number(ttlSeconds) });
    const { id, bytes, storedBytes } = await response.json();
    read.elements.id.value = id;
    return `Stored ${number(bytes)} bytes as ${number(storedBytes)} bytes of gzip.`;
  });
});

read.addEventListener('submit', (event) => {
  submit(event, async () => {
    const response = await request(`snippets/${encodeURIComponent(read.elements.id.value.trim())}`, 'GET');
    snippet.textContent = await response.text();
    snippet.hidden = false;
    return `Read ${number(snippet.textContent.length)} characters.`;
  });
});

/** Runs what a form is for, and tells how it went. */
async function submit(event, task) {
  event.preventDefault();
  snippet.hidden = true;
  outcome.textContent = 'Working …';
  try {
    outcome.textContent = await task();
  } catch (error) {
    outcome.textContent = error.message;
  }
}
