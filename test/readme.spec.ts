import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { compile } from './support/compile.js';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const docs = readdirSync(new URL('../docs', import.meta.url)).map((name) => `docs/${name}`);
const pages = ['README.md', ...docs].filter((page) => page.endsWith('.md') && read(page).includes('```ts'));

/** The TypeScript of a page, each block with the file it was taken from, if it says so. */
function snippets(page: string): { code: string; from?: string }[] {
  const blocks = read(page).matchAll(/(?:<!-- (\S+) -->\s+)?^```ts\n([^]*?)^```$/gm);
  return [...blocks].map(([, from, code = '']) => ({ code, ...(from !== undefined && { from }) }));
}

describe.each(pages)('The snippets of %s', (page) => {
  it('are there', () => {
    expect(snippets(page).length).toBeGreaterThan(0);
  });

  it('compile', () => {
    const own = snippets(page).filter(({ from }) => from === undefined);
    expect(compile(Object.fromEntries(own.map(({ code }, at) => [`snippet-${at + 1}.ts`, code])))).toEqual(
      [],
    );
  }, 60_000);

  it('are the code of the file they are taken from', () => {
    for (const { code, from } of snippets(page)) if (from !== undefined) expect(read(from)).toBe(code);
  });
});
