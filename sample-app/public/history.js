/** The last minute of one pool: a column of numbers for each thing that is drawn. */
import { clock, element, number } from './dom.js';

export const SHOWN_SECONDS = 60;
const TABLE_STEP_SECONDS = 5;

export class History {
  /** @param columns by name, how a reading becomes a number */
  constructor(columns) {
    this.columns = columns;
    this.rows = [];
  }

  /** What is known already is not added again. */
  add(at, reading) {
    if (at <= this.last.at) return;
    const row = { at };
    for (const [name, read] of Object.entries(this.columns)) row[name] = read(reading);
    this.rows.push(row);
    this.rows = this.rows.filter((each) => at - each.at <= SHOWN_SECONDS * 1_000);
  }

  /** Without it a line would be drawn over a time of which nothing is known. */
  addGap() {
    const { at, isGap } = this.last;
    if (at !== undefined && !isGap) this.rows.push({ at: at + 1, isGap: true });
  }

  get last() {
    return this.rows.at(-1) ?? {};
  }

  /** As uPlot takes it: seconds before now, then the columns of these names. */
  data(names) {
    const { at: now } = this.last;
    const values = names.map((name) => this.rows.map((row) => row[name] ?? null));
    return [this.rows.map(({ at }) => (at - now) / 1_000), ...values];
  }

  writeTo(table) {
    const names = Object.keys(this.columns);
    const head = ['time', ...names].map((name) => element('th', { scope: 'col' }, name));
    const rows = this.seldomRows().map((row) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, clock(row.at)),
        ...names.map((name) => element('td', {}, number(row[name]))),
      ),
    );
    table.replaceChildren(
      element('caption', {}, `The last minute, every ${TABLE_STEP_SECONDS} seconds`),
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...rows),
    );
  }

  /** The latest first. */
  seldomRows() {
    const stepOf = ({ at }) => Math.floor(at / 1_000 / TABLE_STEP_SECONDS);
    return this.rows.filter((row, at, rows) => at > 0 && stepOf(row) !== stepOf(rows[at - 1])).reverse();
  }
}
