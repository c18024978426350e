import { comparison, figure, ratioWithRange, spreadOf } from './figures.mjs';
import { link, table } from './markdown.mjs';
import { isOurs, roundsOf } from './results.mjs';

/** A longer table is taken apart. */
const MOST_ROWS = 24;

/** A suite as a chapter: what it is about, its pictures, its figures, and how everybody was set up. */
export function chapterOf(suite, nodes, pictures) {
  const parts = [
    `## ${suite.title}`,
    suite.about,
    ...pictures.map(({ alt, path }) => `![${alt}](${path})`),
    ...groupsOf(suite).map((group) => tableOf(suite, group, nodes)),
    absences(suite, nodes),
    roundsMade(suite, nodes),
    setUps(suite),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** All scenarios in one table, or those together whose names begin alike. */
function groupsOf({ scenarios, contenders }) {
  const isShort = scenarios.length * Object.keys(contenders).length <= MOST_ROWS;
  if (isShort && scenarios.length > 1)
    return [{ title: '', members: scenarios.map((scenario) => ({ title: scenario.name, scenario })) }];
  const groups = new Map();
  for (const scenario of scenarios) {
    const [title, ...rest] = scenario.name.split(', ');
    const members = groups.get(title) ?? [];
    groups.set(title, [...members, { title: rest.join(', ') || title, scenario }]);
  }
  return [...groups].map(groupOf);
}

/** One scenario alone is all that its heading says. */
const groupOf = ([title, members]) =>
  members.length === 1 ? { title: members[0].scenario.name, members } : { title, members };

function tableOf(suite, { title, members }, nodes) {
  const isMeasured = (node) => members.some(({ scenario }) => scenario.on[node]?.rows.length > 0);
  const columns = columnsOf(suite, nodes.filter(isMeasured), nodes.length > 1);
  if (columns.length === 0) return '';
  const isOne = members.length === 1;
  const head = ['', '', ...columns.map((column) => column.title)];
  const rows = [head, ...members.flatMap((member) => rowsOf(suite, member, columns))];
  const [shownHead, ...shownRows] = isOne ? rows.map((row) => row.slice(1)) : rows;
  const figures = table(shownHead, shownRows, { words: isOne ? 1 : 2 });
  return title === '' ? figures : `### ${title}\n\n${figures}`;
}

/** The first metric and its ratio come first, for they are what is compared; each version of Node beside the others. */
function columnsOf({ metrics, baseline }, nodes, areSeveral) {
  const [main, ...others] = metrics;
  const on = (title, text) =>
    nodes.map((node) => ({
      title: areSeveral ? `${title}, Node ${node}` : title,
      text: (scenario, contender) => text(scenario, contender, node),
    }));
  const metricColumns = (metric) =>
    on(metric.title, (scenario, contender, node) =>
      figure(spreadOf(roundsOf(scenario, node, contender), metric), metric),
    );
  const ratioColumns = on(`× ${baseline}`, (scenario, contender, node) => {
    const found = comparison(scenario, node, { contender, rival: baseline, metric: main });
    if (found === undefined) return '–';
    return contender === baseline ? '1' : ratioWithRange(found);
  });
  return [...metricColumns(main), ...ratioColumns, ...others.flatMap(metricColumns)];
}

function rowsOf({ contenders }, { title, scenario }, columns) {
  const tookPart = (name) =>
    Object.values(scenario.on).some(({ rows }) => rows.some(({ contender }) => contender === name));
  return Object.keys(contenders)
    .filter(tookPart)
    .map((name, index) => [
      index === 0 ? title : '',
      isOurs(name) ? `**${name}**` : name,
      ...columns.map(({ text }) => text(scenario, name)),
    ]);
}

/** Who is not in the tables, and why. */
function absences({ scenarios, contenders }, nodes) {
  const absent = new Map();
  for (const { on } of scenarios) {
    for (const { contender, because } of nodes.flatMap((node) => on[node]?.missing ?? []))
      absent.set(because, (absent.get(because) ?? new Set()).add(contender));
  }
  const everybody = Object.keys(contenders).length;
  const reasons = [...absent].map(([because, names]) =>
    names.size === everybody ? because : `${[...names].join(' and ')} (${because})`,
  );
  return reasons.length === 0 ? '' : `Not in it: ${reasons.join('; ')}.`;
}

function roundsMade({ rounds, freshProcess }, nodes) {
  const made = nodes.flatMap((node) => rounds[node] ?? []);
  const counts = [...new Set(made)].map((count) => (count === 1 ? 'one round' : `${count} rounds`));
  return `Medians of ${counts.join(' or ')}${freshProcess ? ', each in a new process' : ''}.`;
}

function setUps({ contenders }) {
  const items = Object.entries(contenders).map(
    ([name, { how, source }]) => `- **${name}**: ${how} (${link('source', source)}).`,
  );
  return `<details>\n<summary>How each was set up</summary>\n\n${items.join('\n')}\n\n</details>`;
}
