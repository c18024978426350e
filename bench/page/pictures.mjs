import * as vega from 'vega';
import { compile } from 'vega-lite';
import { spreadOf } from './figures.mjs';
import { GROUND, looksOf, STYLE, WIDTH } from './looks.mjs';
import { roundsOf } from './results.mjs';

const GAP = 40;
const HEIGHT = 300;

/** Below that, a linear axis shows more than a logarithmic one. */
const LEAST_MAGNITUDES = 10;
/** Above and below a curve, as a factor. */
const ROOM = 1.2;

/** The curves of a suite, each metric a picture, as `{ name, alt, svg }`. */
export async function picturesOf(suite, nodes) {
  if (suite.curve === undefined) return [];
  const curves = [...new Set(suite.scenarios.filter(({ x }) => x !== undefined).map(({ curve }) => curve))];
  const metrics = [suite.curve.metric].flat().map((key) => suite.metrics.find((each) => each.key === key));
  const pictures = curves.flatMap((curve) => metrics.map((metric) => ({ curve, metric })));
  return Promise.all(pictures.map((picture) => draw(suite, nodes, picture, pictures.length > 1)));
}

async function draw(suite, nodes, { curve, metric }, isOneOfSeveral) {
  const points = pointsOf(suite, nodes, { curve, metric });
  const title = [suite.title, curve].filter(Boolean).join(': ');
  const name = [suite.name, ...(isOneOfSeveral ? [curve, metric.key] : [])]
    .filter(Boolean)
    .map(slug)
    .join('-');
  const spec = compile(specOf({ suite, points, metric, title })).spec;
  const svg = await new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG();
  return { name, alt: `${title}: ${metric.title} by ${suite.curve.x}`, svg: `${svg}\n` };
}

const slug = (words) =>
  words
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');

function pointsOf({ scenarios, contenders }, nodes, { curve, metric }) {
  const places = scenarios.filter((scenario) => scenario.curve === curve && scenario.x !== undefined);
  return nodes.flatMap((node) =>
    Object.keys(contenders).flatMap((contender) =>
      places.flatMap((scenario) => {
        const spread = spreadOf(roundsOf(scenario, node, contender), metric);
        return spread === undefined ? [] : [{ x: scenario.x, node: `Node ${node}`, contender, ...spread }];
      }),
    ),
  );
}

function specOf({ suite, points, metric, title }) {
  const [panels, names] = ['node', 'contender'].map((key) => [...new Set(points.map((point) => point[key]))]);
  const x = axis(suite.curve.x, points, ['x'], {
    values: [...new Set(points.map((point) => point.x))],
    format: '~s',
  });
  const y = axis(metric.title, points, ['low', 'high'], { format: '~s', tickCount: 6 });
  const look = looksOf(names);
  const panel = {
    width: (WIDTH - GAP * (panels.length - 1)) / panels.length,
    height: HEIGHT,
    encoding: { x: { field: 'x', ...x }, color: { field: 'contender', ...look.color } },
    layer: [
      {
        mark: { type: 'area', opacity: 0.18 },
        encoding: { y: { field: 'low', ...y }, y2: { field: 'high' } },
      },
      { mark: { type: 'line' }, encoding: { y: { field: 'median', ...y }, strokeWidth: look.width } },
      {
        mark: { type: 'point', filled: true, size: 55, opacity: 1 },
        encoding: { y: { field: 'median', ...y }, shape: { field: 'contender', ...look.shape } },
      },
    ],
  };
  const heading = {
    text: title,
    subtitle: `${metric.title}: the median of the rounds, and their middle half as a band`,
  };
  const whole = { data: { values: points }, title: heading, background: GROUND, padding: 16, config: STYLE };
  if (panels.length === 1) return { ...whole, ...panel };
  return {
    ...whole,
    facet: { column: { field: 'node', title: null, sort: panels } },
    spec: panel,
    spacing: GAP,
  };
}

/** Logarithmic where there are magnitudes to show, and no nought. */
function axis(title, points, keys, look) {
  const values = points.flatMap((point) => keys.map((key) => point[key]));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const isLog = least > 0 && most / least >= LEAST_MAGNITUDES;
  const room = keys.length > 1 ? ROOM : 1;
  const scale = isLog
    ? { type: 'log', nice: false, domain: [least / room, most * room] }
    : { type: 'linear', zero: true };
  return { type: 'quantitative', title, scale, axis: look };
}
