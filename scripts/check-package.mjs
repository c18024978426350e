// Packs the library as npm would publish it, installs it in empty NestJS 12 (ESM) and NestJS 11 (CommonJS) applications, and runs them:
// first without the optional peers, then with each of them. Needs the npm registry and a Redis server.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRedisServer } from './redis-server.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const SHIPPED = /^(dist\/.+\.(js|d\.ts)|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
const NOT_SHIPPED = /\.(spec|fake)\./;

/** NestJS 11 applications are made with TypeScript 5 and the old way of finding modules, which knows no exports map. */
const APPS = [
  { nest: 12, type: 'module', app: 'app.mjs', typescript: '~6.0', resolution: ['--module', 'nodenext'] },
  {
    nest: 11,
    type: 'commonjs',
    app: 'app.cjs',
    typescript: '~5.9',
    resolution: ['--module', 'commonjs', '--moduleResolution', 'node10'],
  },
];

/** Each is enough for itself. */
const METRICS = [
  ['prom-client', 'prom-client@15'],
  ['opentelemetry', '@opentelemetry/api@1', '@opentelemetry/sdk-metrics@2'],
];

const TYPE_CHECK = [
  '--noEmit',
  '--strict',
  '--skipLibCheck',
  '--experimentalDecorators',
  '--emitDecoratorMetadata',
];

const scratch = mkdtempSync(join(tmpdir(), 'check-package-'));
const redis = await startRedisServer();
try {
  const tarball = pack();
  for (const app of APPS) await check(app, tarball);
} finally {
  await redis.stop();
  rmSync(scratch, { recursive: true, force: true });
}

function pack() {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', scratch], ROOT));
  const stray = packed.files
    .map(({ path }) => path)
    .filter((path) => !SHIPPED.test(path) || NOT_SHIPPED.test(path));
  if (stray.length > 0) throw new Error(`the package must not hold ${stray.join(', ')}`);
  console.log(`packed ${packed.filename}: ${packed.files.length} files, ${packed.unpackedSize} bytes`);
  run('npx', ['publint', '--strict', join(scratch, packed.filename)], ROOT);
  return join(scratch, packed.filename);
}

async function check({ nest, type, app, typescript, resolution }, tarball) {
  const directory = join(scratch, `nest-${nest}`);
  mkdirSync(directory);
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, type }));
  for (const file of [app, 'exercise.cjs', 'health-faults.cjs', 'types.ts'])
    copyFileSync(join(ROOT, 'scripts/package-apps', file), join(directory, file));

  const install = (...packages) => run('npm', ['install', '--no-audit', '--no-fund', ...packages], directory);
  install(
    tarball,
    `@nestjs/common@${nest}`,
    `@nestjs/core@${nest}`,
    'reflect-metadata',
    'rxjs@7',
    'ioredis@6',
  );
  console.log(
    `NestJS ${nest} (${type}), without optional peers: ${run('node', [app, redis.url], directory)}`,
  );

  for (const [mode, ...packages] of METRICS) {
    install(...packages);
    const said = run('node', [app, redis.url, mode], directory);
    console.log(`NestJS ${nest} (${type}), metrics with ${mode}: ${said}`);
  }

  install(`@nestjs/terminus@${nest}`, `@nestjs/platform-express@${nest}`);
  const doomed = await startRedisServer();
  try {
    const said = run('node', [app, doomed.url, 'health'], directory);
    console.log(`NestJS ${nest} (${type}), with Terminus, while Redis fails: ${said}`);
  } finally {
    await doomed.stop();
  }

  install(`typescript@${typescript}`, '@types/node@22');
  run('npx', ['tsc', ...TYPE_CHECK, '--target', 'es2022', ...resolution, 'types.ts'], directory);
  console.log(`NestJS ${nest} (${type}), types: right with TypeScript ${typescript}`);
}

/** What the command prints; the last line is shown when it fails. */
function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed (${status}):\n${stdout}\n${stderr}`);
  return stdout.trim();
}
