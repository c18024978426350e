/* global document, getComputedStyle, matchMedia, ResizeObserver */

/** A small chart over the last minute, by uPlot; its caption says in words what the lines say at their end. */
import uPlot from './uplot/uPlot.esm.js';
import { element, find, number } from './dom.js';
import { SHOWN_SECONDS } from './history.js';

const HEIGHT = 132;
const AXIS_FONT = '11px system-ui, sans-serif';

/** Asked for at each drawing: the colours change with the system's scheme. */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export class Chart {
  constructor(parent, { title, series, filled }, history) {
    this.history = history;
    this.names = Object.keys(series);
    this.caption = element('figcaption', {}, element('strong', {}, title), ...this.names.map(keyOf(series)));
    this.canvas = element('div', { className: 'chart', ariaHidden: 'true' });
    parent.append(element('figure', {}, this.caption, this.canvas));
    this.plot = new uPlot(optionsOf(series, filled), history.data(this.names), this.canvas);
    new ResizeObserver(([{ contentRect }]) => this.resize(contentRect.width)).observe(this.canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.plot.redraw(false));
  }

  draw() {
    this.plot.setData(this.history.data(this.names));
    for (const name of this.names) {
      find(`[data-name="${name}"]`, this.caption).textContent = number(this.history.last[name]);
    }
  }

  resize(width) {
    this.plot.setSize({ width: Math.floor(width), height: HEIGHT });
  }
}

/** A part of the caption: the colour of a line, its name, its last value. */
const keyOf = (series) => (name) => {
  const value = element('b', {}, '–');
  value.dataset.name = name;
  const key = element('span', { className: 'key' }, `${name} `, value);
  key.dataset.colour = series[name];
  return key;
};

function optionsOf(series, filled) {
  const line = ([name, colourName]) => ({
    label: name,
    stroke: () => colour(colourName),
    fill: name === filled ? () => `${colour(colourName)}2e` : undefined,
    width: name === 'max' ? 1 : 1.75,
    dash: name === 'max' ? [4, 4] : undefined,
    points: { show: false },
  });
  return {
    width: 300,
    height: HEIGHT,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: [-SHOWN_SECONDS, 0] },
      y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] },
    },
    axes: [
      axis({
        values: (_plot, splits) => splits.map(ago),
        incrs: [15],
        size: 22,
      }),
      axis({ values: (_plot, splits) => splits.map(short), size: 42, space: 32 }),
    ],
    series: [{}, ...Object.entries(series).map(line)],
  };
}

function axis(options) {
  const thin = { stroke: () => colour('grid'), width: 1 };
  return {
    stroke: () => colour('muted'),
    font: AXIS_FONT,
    grid: thin,
    ticks: { show: false },
    gap: 4,
    ...options,
  };
}

/** The oldest end has no label: the zero of the other axis is there. */
const ago = (at) => (at === 0 ? 'now' : at === -SHOWN_SECONDS ? '' : `${at} s`);

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact' });
const short = (value) => COMPACT.format(value);
