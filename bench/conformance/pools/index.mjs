import { readFileSync } from 'node:fs';

/** The pools to look at, ours first. Each adapter is a file of that name. */
export const OURS = 'nestjs-pool';
export const POOL_NAMES = [OURS, 'generic-pool', 'tarn', 'lightning-pool', 'node-redis'];

/**
 * An adapter says what its pool does not offer at all (`lacks`, with the reason) and what does not concern it (`outside`), where its
 * resources come from (`source`), and how it is made with the best of its documented options (`open`). What is asked for comes in the
 * words of this library's options, and as wishes: `validates` and `resets` (there is such a hook), `priorities` (they are used),
 * `failFast` (callers would rather fail than wait for what is down), and `others` (options that are passed on as they are).
 */
export async function adapterOf(name) {
  const { default: adapter } = await import(`./${name}.mjs`);
  return { lacks: {}, outside: {}, ...adapter, version: versionOf(adapter.package ?? name) };
}

function versionOf(name) {
  const manifest = name === OURS ? '../../../package.json' : `../../node_modules/${name}/package.json`;
  return JSON.parse(readFileSync(new URL(manifest, import.meta.url), 'utf8')).version;
}
