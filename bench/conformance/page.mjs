import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { SIGNS } from './table.mjs';

const PAGE = fileURLToPath(new URL('../../docs/conformance.md', import.meta.url));

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six'];

/** The results as a page of the documentation. Nothing in it changes from run to run. */
export async function pageOf(results) {
  const { groups, pools } = results;
  const parts = [introduction(results), scores(pools), ...groups.map((group) => chapter(group, pools))];
  const page = [...parts, HOW_TO_RUN, REASONS, ...pools.map((pool) => reasons(pool, groups))].join('\n\n');
  return format(page, { ...(await resolveConfig(PAGE)), parser: 'markdown' });
}

const introduction = ({ groups, pools, node }) => `
<!-- Written by \`npm run conformance -- --write\`. -->

# Conformance

What a pool of resources should do, as ${groups.flatMap(({ behaviours }) => behaviours).length} behaviours. Each is written once, against a
small adapter, and checked on this library and on ${NUMBERS[pools.length - 1]} others: on Node ${node}, with real timers, each in a process of its own.

${SIGNS.pass} the pool does it. ${SIGNS.fail} it does not. ${SIGNS['not offered']} it offers nothing for it, which counts as not doing it. An empty cell: it does
not concern this pool, and is left out of its score.

A pool passes when a careful user gets the behaviour by its documented options and methods; each adapter takes the best of them. Code
that users would have to write around the pool, or into their factory, is not counted in its favour. What nobody caught counts against
the pool: an exception or a rejection that would have ended the process.`;

const scores = (pools) =>
  table(
    ['Pool', 'Version', 'Passed', 'Of'],
    pools.map(({ name, version, passed, applicable }) => [name, version, passed, applicable]),
  );

const chapter = ({ title, behaviours }, pools) =>
  `## ${title}\n\n${table(
    ['Behaviour', '', ...pools.map(({ name }) => name)],
    behaviours.map(({ name, says, verdicts }) => [
      `\`${name}\``,
      says,
      ...pools.map((pool) => SIGNS[verdicts[pool.name].verdict]),
    ]),
  )}`;

const HOW_TO_RUN = `## How to run it

\`\`\`sh
npm ci
npm run conformance                                    # about a minute
npm run conformance -- --only stale-release --pool tarn
npm run conformance -- --json
npm run conformance -- --write                         # writes this page
\`\`\`

It exits with 1 when this library fails any of it. For node-redis it starts a Redis server of its own. The behaviours are in
\`bench/conformance/behaviours\`, the adapters in \`bench/conformance/pools\`: where one does a pool wrong, it is a bug of this suite.`;

const REASONS = '## How each pool was set up, and why it does not pass';

function reasons({ name, version, documentation, configured }, groups) {
  return [
    `### ${name} ${version}`,
    `${configured} [Documentation](${documentation})`,
    list('What it does not do:', verdictsOn(name, groups, 'fail')),
    list('What it does not offer:', verdictsOn(name, groups, 'not offered')),
    list('What does not concern it:', verdictsOn(name, groups, 'n/a')),
  ].join('\n\n');
}

/** The names of the behaviours with that verdict, by the reason for it. */
function verdictsOn(pool, groups, wanted) {
  const namesByReason = new Map();
  for (const { name, verdicts } of groups.flatMap(({ behaviours }) => behaviours)) {
    const { verdict, why } = verdicts[pool];
    if (verdict === wanted) namesByReason.set(why, [...(namesByReason.get(why) ?? []), `\`${name}\``]);
  }
  return namesByReason;
}

function list(title, namesByReason) {
  if (namesByReason.size === 0) return '';
  return [title, '', ...[...namesByReason].map(([why, names]) => `- ${names.join(', ')}: ${why}`)].join('\n');
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
