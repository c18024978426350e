/** What the shutdown of the process before this one did. */
import { clock, element, find, number } from './dom.js';

const HINT =
  'None is known of yet. Stop the server with Ctrl-C and start it again: this page stays, and shows what the shutdown did.';

const COLUMNS = {
  took: ({ durationMs }) => `${number(Math.round(durationMs))} ms`,
  served: ({ served }) => number(served),
  rejected: ({ rejected }) => number(rejected),
  revoked: ({ revoked }) => number(revoked.length),
  closed: ({ closed }) => number(closed),
  'not closed': ({ closeFailures }) => number(closeFailures),
};

export function showDrain(drain) {
  find('#drain').replaceChildren(
    ...(drain === null ? [element('p', { className: 'muted' }, HINT)] : partsOf(drain)),
  );
}

function partsOf({ at, reports }) {
  const clean = reports.every((report) => report.clean && report.closeFailures === 0);
  const verdict = clean
    ? 'All work was done before its deadline.'
    : 'Some work was late: see what was rejected or revoked.';
  return [
    element('p', { className: 'muted' }, `The server shut down at ${clock(at)}. ${verdict}`),
    element(
      'div',
      { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: 'Reports of the drain' },
      tableOf(reports),
    ),
  ];
}

function tableOf(reports) {
  const head = ['pool', ...Object.keys(COLUMNS)].map((name) => element('th', { scope: 'col' }, name));
  const rows = reports.map((report) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, report.pool),
      ...Object.values(COLUMNS).map((read) => element('td', {}, read(report))),
    ),
  );
  return element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...rows),
  );
}
