// Every benchmark, one after the other: `npm run bench`. Ends with 1 when one of them says that a target was missed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BENCHMARKS = [
  'core-speed',
  'redis-throughput',
  'redis-large-replies',
  'redis-blocked',
  'compression-speed',
  'compression-memory',
  'observability',
];

for (const name of BENCHMARKS) {
  console.log(`\n== ${name}`);
  const script = fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
