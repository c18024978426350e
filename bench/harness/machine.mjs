import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

const GIB = 1_024 ** 3;

/** What the figures were measured on. */
export const machine = () => ({
  cpu: `${availableParallelism()} × ${cpus()[0].model.trim()}`,
  memory: `${Math.round(totalmem() / GIB)} GiB`,
  node: process.versions.node,
  platform: `${process.platform} ${process.arch}`,
  versions: versions(),
});

export const load = () => loadavg()[0];

function versions() {
  const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
  const installed = (name, above) => read(`${above}/node_modules/${name}/package.json`).version;
  const rivals = Object.keys(read('../package.json').dependencies);
  return Object.fromEntries([
    ['nestjs-pool', read('../../package.json').version],
    ['ioredis', installed('ioredis', '../..')],
    ...rivals.map((name) => [name, installed(name, '..')]),
  ]);
}
