/* global document, fetch, FormData */

/** The forms that store a snippet and read it back. */

/** As many requests at a time as browsers open connections; one of them carries the stream. */
const AT_ONCE = 5;

const outcome = document.querySelector('#outcome');
const snippet = document.querySelector('#snippet');
const store = document.querySelector('#store');
const read = document.querySelector('#read');

store.addEventListener('submit', (event) => {
  const { text, ttlSeconds } = Object.fromEntries(new FormData(store));
  const times = Number(event.submitter?.value || 1);
  submit(event, async () => {
    const { id, bytes, storedBytes } = await storeTimes(times, { text, ttlSeconds: Number(ttlSeconds) });
    read.elements.id.value = id;
    return `Stored ${bytes.toLocaleString('en')} bytes as ${storedBytes.toLocaleString('en')} bytes of gzip.`;
  });
});

read.addEventListener('submit', (event) => {
  submit(event, async () => {
    const response = await request(`snippets/${encodeURIComponent(read.elements.id.value.trim())}`);
    snippet.textContent = await response.text();
    snippet.hidden = false;
    return `Read ${snippet.textContent.length.toLocaleString('en')} characters.`;
  });
});

/** Runs what a form is for, and tells how it went. */
async function submit(event, task) {
  event.preventDefault();
  snippet.hidden = true;
  event.submitter.disabled = true;
  outcome.textContent = 'Working …';
  try {
    outcome.textContent = await task();
  } catch (error) {
    outcome.textContent = error.message;
  } finally {
    event.submitter.disabled = false;
  }
}

async function storeTimes(times, body) {
  let left = times;
  let last;
  const worker = async () => {
    while (left-- > 0) last = await (await post(body)).json();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return last;
}

function post(body) {
  return request('snippets', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function request(url, options) {
  const response = await fetch(url, options);
  if (response.ok) return response;
  const { message } = await response.json();
  throw new Error(`${response.status}: ${[message].flat().join('; ')}`);
}
