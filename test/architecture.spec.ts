import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const RULES = '.dependency-cruiser.cjs';
const CRUISER = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

/** Every forbidden import below `directory`, as "rule: from -> to". */
function forbiddenImports(directory: string): string[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [CRUISER, '--config', RULES, '--output-type', 'json', 'lib'],
    { cwd: directory, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  if (stdout === '') throw new Error(stderr);
  const { summary } = JSON.parse(stdout) as Cruise;
  expect(summary.totalCruised).toBeGreaterThan(0);
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
}

interface Cruise {
  summary: { totalCruised: number; violations: { rule: { name: string }; from: string; to: string }[] };
}

describe('The architecture', () => {
  it('has no forbidden and no circular import', () => {
    expect(forbiddenImports(ROOT)).toEqual([]);
  });

  describe('is guarded: the test fails on', () => {
    let scratch: string;

    beforeAll(() => {
      scratch = mkdtempSync(join(tmpdir(), 'architecture-'));
      for (const file of [RULES, 'tsconfig.json', 'package.json'])
        copyFileSync(join(ROOT, file), join(scratch, file));
      symlinkSync(join(ROOT, 'node_modules'), join(scratch, 'node_modules'));
    });

    afterAll(() => rmSync(scratch, { recursive: true }));

    it.each<[what: string, rule: string, files: Record<string, string>]>([
      [
        'a circle',
        'no-circle: lib/core/a.ts -> lib/core/b.ts',
        { 'core/a.ts': `import './b.js';`, 'core/b.ts': `import './a.js';` },
      ],
      [
        'a circle of types',
        'no-circle: lib/core/a.ts -> lib/core/b.ts',
        {
          'core/a.ts': `import type { B } from './b.js'; export type A = B;`,
          'core/b.ts': `import type { A } from './a.js'; export type B = A | 1;`,
        },
      ],
      [
        'Nest in the core',
        'core-stands-alone: lib/core/a.ts -> ',
        { 'core/a.ts': `import '@nestjs/common';` },
      ],
      [
        'zlib in the core',
        'core-stands-alone: lib/core/a.ts -> zlib',
        { 'core/a.ts': `import 'node:zlib';` },
      ],
      [
        'an arrow back from the core',
        'core-stands-alone: lib/core/a.ts -> lib/redis/b.ts',
        { 'core/a.ts': `import '../redis/b.js';`, 'redis/b.ts': '' },
      ],
      [
        'one kind of pool that knows another',
        'redis-knows-core: lib/redis/a.ts -> lib/compression/b.ts',
        { 'redis/a.ts': `import '../compression/b.js';`, 'compression/b.ts': '' },
      ],
      [
        'a second place that makes pools',
        'kinds-are-known-in-one-place: lib/pool.module.ts -> lib/redis/b.ts',
        { 'pool.module.ts': `import './redis/b.js';`, 'redis/b.ts': '' },
      ],
      [
        'an optional peer in the main entry',
        'optional-peers-stay-behind-their-entry-points: lib/pool.module.ts -> ',
        { 'pool.module.ts': `import '@nestjs/terminus';` },
      ],
      [
        'an import of a barrel',
        'import-the-file-not-the-barrel: lib/core/a.ts -> lib/index.ts',
        { 'core/a.ts': `import '../index.js';`, 'index.ts': '' },
      ],
      [
        'an import of a file that is not there',
        'no-unresolvable: lib/core/a.ts -> ./b.js',
        { 'core/a.ts': `import './b.js';` },
      ],
    ])('%s', (_what, expected, files) => {
      rmSync(join(scratch, 'lib'), { recursive: true, force: true });
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(scratch, 'lib', path)), { recursive: true });
        writeFileSync(join(scratch, 'lib', path), text);
      }
      expect(forbiddenImports(scratch)).toContainEqual(expect.stringContaining(expected));
    });
  });
});
