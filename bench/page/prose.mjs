import { listed, table } from './markdown.mjs';

export const INTRODUCTION = `<!-- Written by \`node bench/page.mjs\`. -->

# Benchmarks

What this library costs beside others that do the same work, and beside doing it without a pool. What it does worse is here too.`;

export const HOW_TO_RUN = `## How to run it

\`\`\`sh
npm ci && npm ci --prefix bench && npm run build
node bench/index.mjs                                     # everything
node bench/index.mjs --only redis --only GET             # what has these words in its name
node bench/index.mjs --short                             # only what something is promised of, in fewer and shorter rounds
node bench/index.mjs --list
node bench/index.mjs --json > node-20.json               # and with another Node: > node-24.json
node bench/page.mjs node-20.json node-24.json            # writes this page, and its pictures
\`\`\`

It starts the Redis servers it needs, and ends with 1 when a promise is missed by more than the rounds spread.`;

export const HOW_TO_READ = `## How to read it

A figure is the median of all rounds. A ratio, such as 1.40 (1.32 to 1.51), is a contender's figure divided by that of the contender
in the column's title: the median of the ratios of the rounds that both made side by side, and in brackets the middle half of them. Where
the range holds 1, there is no difference worth the name. Whether more or less is better, the unit says: of what is counted by the second
more, of time, memory and processor less.

Ours are in bold. In the pictures the line is the median, and the band is the middle half of the rounds.

A promise is **missed** when the median misses it by more than the middle half of the ratios spreads. By less, it is missed within the
spread, which another run may mend or worsen.`;

export const METHOD = `## How it is measured

- Each contender has a process of its own in each scenario. In one process they would share compiled code, and spoil it for each other.
- They make their rounds by turns (A B A B), so that what slows the machine for a while slows all; with more than two, who begins and who
  follows whom changes from round to round. The first rounds warm up and do not count. What a process can do only once, such as reach its peak of memory, has a new process for
  each round.
- Results are checked: before the first round against what they must be, and in each round as far as it costs next to nothing.
- Rivals are set up as their own documentation recommends for the case. How, and where it says so, stands below each chapter.
- Client, server and rivals share one machine, so figures of a network are there only where a scenario says so. Figures of one machine
  do not hold for another; ratios do better.`;

export const PROMISES = `## What is promised

The library promises something of what follows; the rest is there to be seen.`;

export const SHORTCOMINGS = `## What it does worse

Wherever one of ours was behind a rival by a twentieth or more, in the median and in the whole middle half of the rounds; the worst first,
and beside each the best rival there. Not everything there does the same: a lease, for one, keeps its connection from all others, which a shared connection does
not.`;

/** Where it was measured, and with what. */
export function setting({ runs }) {
  const machines = distinct(
    runs.map(({ machine }) => `${machine.cpu}, ${machine.memory}, ${machine.platform}`),
  );
  const nodes = distinct(runs.map(({ machine }) => machine.node));
  const loads = runs.flatMap(({ load }) => [load.before, load.after]);
  const [least, most] = [Math.min(...loads), Math.max(...loads)].map((load) => load.toFixed(2));
  const versions = Object.entries(Object.assign({}, ...runs.map(({ machine }) => machine.versions)));
  return `## Measured on

${listed(machines)}; Node ${listed(nodes)}. The load of the machine before and after a run was ${least} to ${most}, its own part included.

${table(['Package', 'Version'], versions)}`;
}

const distinct = (values) => [...new Set(values)];
