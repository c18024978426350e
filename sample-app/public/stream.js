/* global EventSource */

/** The server's stream, which is taken up again whenever it ends. */
import { clock, element, find } from './dom.js';

const RECONNECT_MS = 1_000;

const connection = find('#connection');
const notice = find('#notice');
let serverStartedAt;

/** Tells the parts of the page what comes: a greeting, then one beat after the other; or that nothing comes any more. */
export function listen({ greeting, beat, lost }) {
  const events = new EventSource('live');
  events.addEventListener('greeting', ({ data }) => {
    const said = JSON.parse(data);
    show(true, 'live');
    welcome(said.startedAt);
    greeting(said);
  });
  events.addEventListener('beat', ({ data }) => beat(JSON.parse(data)));
  events.onerror = () => {
    show(false, 'reconnecting …');
    lost();
    // The browser tries again by itself, unless it was answered by something else than a stream.
    if (events.readyState !== EventSource.CLOSED) return;
    setTimeout(() => listen({ greeting, beat, lost }), RECONNECT_MS);
  };
}

function show(isGood, text) {
  connection.dataset.good = isGood;
  connection.textContent = text;
}

function welcome(startedAt) {
  if (serverStartedAt !== undefined && serverStartedAt !== startedAt) {
    const link = element('a', { href: '#drain-heading' }, 'what its drain did');
    notice.replaceChildren(
      `Reconnected: the server was started anew at ${clock(startedAt)}. See `,
      link,
      '.',
    );
  }
  serverStartedAt = startedAt;
}
