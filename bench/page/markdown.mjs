import { markdownTable } from 'markdown-table';

/** The first columns are words, the others figures. */
export const table = (head, rows, { words = head.length } = {}) =>
  markdownTable(
    [head, ...rows].map((row) => row.map(cell)),
    {
      align: head.map((_, column) => (column < words ? 'left' : 'right')),
    },
  );

/** What the first cell says is not said again below it. */
export const grouped = (rows) =>
  rows.map(([first, ...rest], index) => [first === rows[index - 1]?.[0] ? '' : first, ...rest]);

const cell = (value) => String(value).replaceAll('|', '\\|');

/** A place in this repository as a page in `docs/` links it; any other as it is. */
export function link(words, source) {
  if (source.startsWith('https://')) return `[${words}](${source})`;
  return `[${words}](${source.startsWith('docs/') ? source.slice('docs/'.length) : `../${source}`})`;
}

export const chapterLink = ({ title }) => `[${title}](#${anchor(title)})`;

/** As GitHub names the place of a heading. */
const anchor = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

export const listed = (words) =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

/** The first few, a line of a cell each, and how many more there are. */
export function lines(words, most = 3) {
  if (words.length <= most + 1) return words.join('<br>');
  return [...words.slice(0, most), `and ${words.length - most} more`].join('<br>');
}
