import { isOurs } from './results.mjs';

export const WIDTH = 640;
const LEGEND_LETTER = 9.6;
const LEGEND_SYMBOL = 36;

/** Colours that the colour-blind can tell apart (Okabe and Ito), and that show on the ground; each has a shape too. */
const OUR_COLOURS = ['#0072B2', '#56B4E9', '#003A5C'];
const COLOURS = ['#D55E00', '#009E73', '#CC79A7', '#B07D00', '#555555', '#8A2BE2'];
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down', 'triangle-right'];

/** A ground of its own, so that the picture reads alike on a light page and on a dark one. */
export const GROUND = '#fafafa';
const INK = '#333333';
const GRID = '#dddddd';
const FONT = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif';

/** Ours stand out, whatever else is there. */
export function looksOf(names) {
  const [ours, others] = [names.filter(isOurs), names.filter((name) => !isOurs(name))];
  const colourOf = (name) => (isOurs(name) ? OUR_COLOURS[ours.indexOf(name)] : COLOURS[others.indexOf(name)]);
  const legend = { title: null, orient: 'top', symbolStrokeWidth: 0, columns: legendColumns(names) };
  const scaled = (range) => ({ type: 'nominal', sort: names, legend, scale: { domain: names, range } });
  return {
    color: scaled(names.map(colourOf)),
    shape: scaled(names.map((_, index) => SHAPES[index % SHAPES.length])),
    width: { condition: { test: { field: 'contender', oneOf: ours }, value: 3 }, value: 1.6 },
  };
}

/** As many as fit beside each other, by vega's guess of the width of words, and no row shorter than it must be. */
function legendColumns(names) {
  const longest = Math.max(...names.map(({ length }) => length));
  const fitting = Math.max(1, Math.floor(WIDTH / (longest * LEGEND_LETTER + LEGEND_SYMBOL)));
  return Math.ceil(names.length / Math.ceil(names.length / fitting));
}

export const STYLE = {
  aria: false,
  font: FONT,
  title: {
    anchor: 'start',
    color: INK,
    fontSize: 17,
    fontWeight: 600,
    subtitleColor: INK,
    subtitleFontSize: 12,
    subtitlePadding: 5,
    offset: 14,
  },
  axis: {
    labelColor: INK,
    titleColor: INK,
    gridColor: GRID,
    domainColor: '#888888',
    tickColor: '#888888',
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 10,
    labelOverlap: true,
    labelFlush: false,
  },
  header: { labelColor: INK, labelFontSize: 13, labelFontWeight: 600 },
  legend: {
    symbolSize: 70,
    symbolOpacity: 1,
    labelColor: INK,
    labelFontSize: 12,
    labelLimit: 300,
  },
  view: { stroke: null },
};
