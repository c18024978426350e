// Writes the results of benchmarks as a page of the documentation, with pictures:
//
//   node bench/page.mjs [--out directory] results.json…
//
// The files are what `node bench/index.mjs --json` gave, on one version of Node or on several.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { chapterOf } from './page/chapters.mjs';
import { chapterLink } from './page/markdown.mjs';
import { picturesOf } from './page/pictures.mjs';
import { promisesOf } from './page/promises.mjs';
import {
  HOW_TO_READ,
  HOW_TO_RUN,
  INTRODUCTION,
  METHOD,
  PROMISES,
  setting,
  SHORTCOMINGS,
} from './page/prose.mjs';
import { readResults } from './page/results.mjs';
import { shortcomingsOf } from './page/shortcomings.mjs';

const DOCS = fileURLToPath(new URL('../docs', import.meta.url));
const PICTURES = 'benchmarks';

const { values, positionals } = parseArgs({
  options: { out: { type: 'string', default: DOCS } },
  allowPositionals: true,
});
if (positionals.length === 0)
  throw new Error('which results? node bench/page.mjs [--out directory] results.json…');

const results = readResults(positionals);
const { suites, nodes } = results;
const page = join(values.out, 'benchmarks.md');
await rm(join(values.out, PICTURES), { recursive: true, force: true });
await mkdir(join(values.out, PICTURES), { recursive: true });
const chapters = [];
for (const suite of suites) chapters.push(chapterOf(suite, nodes, await drawn(suite)));
await writeFile(page, await formatted([...opening(), ...chapters].join('\n\n')));

async function drawn(suite) {
  const pictures = await picturesOf(suite, nodes);
  return Promise.all(
    pictures.map(async ({ name, alt, svg }) => {
      const path = `${PICTURES}/${name}.svg`;
      await writeFile(join(values.out, path), svg);
      return { alt, path };
    }),
  );
}

function opening() {
  return [
    INTRODUCTION,
    suites.map((suite) => `- ${chapterLink(suite)}`).join('\n'),
    HOW_TO_READ,
    PROMISES,
    promisesOf(results),
    SHORTCOMINGS,
    shortcomingsOf(results),
    METHOD,
    setting(results),
    HOW_TO_RUN,
  ];
}

async function formatted(text) {
  return format(text, { ...(await resolveConfig(DOCS)), parser: 'markdown' });
}
