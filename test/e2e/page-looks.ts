import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';

/** The number that an element shows; NaN where it shows a dash. */
export async function numberIn(element: Locator): Promise<number> {
  return Number.parseFloat((await element.innerText()).replaceAll(',', ''));
}

/** What a script of the folder `in-page` gives when it is run in the page. */
export async function runInPage<T>(
  page: Page,
  script: 'lowest-contrast' | 'smuggle' | 'event-of-long-words',
): Promise<T> {
  return page.evaluate<T>(await readFile(new URL(`in-page/${script}.js`, import.meta.url), 'utf8'));
}
