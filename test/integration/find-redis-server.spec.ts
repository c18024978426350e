import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const FINDER = new URL('../../scripts/find-redis-server.mjs', import.meta.url);
const REDIS = 'echo "Redis server v=7.0.15"';

/** A stand-in for a whole machine: all the tools, the cache and the lock that the finder sees are in this directory. */
let machine: string;
const within = (path: string) => join(machine, path);

beforeEach(async () => {
  machine = await realpath(await mkdtemp(join(tmpdir(), 'find-redis-server-')));
  await mkdir(within('bin'));
  await cp(FINDER, within('scripts/find-redis-server.mjs'));
  for (const tool of ['sh', 'env', 'mkdir', 'chmod', 'sleep']) {
    const { stdout } = await run('sh', ['-c', `command -v ${tool}`]);
    await symlink(stdout.trim(), within(`bin/${tool}`));
  }
  await put('sudo', 'shift; exec "$@"');
});

afterEach(() => rm(machine, { recursive: true }));

describe('findRedisServer()', () => {
  it.each(['redis-server', 'valkey-server'])('finds %s on the PATH', async (name) => {
    await put(name, REDIS);

    expect(await find()).toBe(within(`bin/${name}`));
  });

  it('passes over what is called redis-server and is not', async () => {
    await put('redis-server', 'echo "hello"');
    await put('valkey-server', 'echo "Valkey server v=8.1.0"');

    expect(await find()).toBe(within('bin/valkey-server'));
  });

  it('takes the server that REDIS_SERVER_BIN names', async () => {
    await put('redis-server', REDIS);
    await put('my-redis', REDIS);

    expect(await find({ REDIS_SERVER_BIN: within('bin/my-redis') })).toBe(within('bin/my-redis'));
  });

  it('refuses a REDIS_SERVER_BIN that is not there or not a server, and looks no further', async () => {
    await put('redis-server', REDIS);
    await put('hello', 'echo "hello"');

    await expect(find({ REDIS_SERVER_BIN: '/nowhere/redis' })).rejects.toThrow(
      'REDIS_SERVER_BIN is /nowhere/redis, which does not run as a Redis server: spawn /nowhere/redis ENOENT',
    );
    await expect(find({ REDIS_SERVER_BIN: within('bin/hello') })).rejects.toThrow('its version is "hello"');
  });

  it('makes a server of redis-check-rdb, which is one under another name', async () => {
    await put(
      'redis-check-rdb',
      `case $0 in *redis-check-rdb) echo "redis-check-rdb 7.0.15";; *) ${REDIS};; esac`,
    );

    expect(await find()).toBe(within('node_modules/.cache/redis-server/redis-server'));
    expect(await find()).toBe(within('node_modules/.cache/redis-server/redis-server'));
  });

  it('installs one with apt-get, and only once when several ask', async () => {
    await put(
      'apt-get',
      `${logCall()}; case $* in *install*) sleep 0.2; ${create('bin/redis-server')};; esac`,
    );

    const found = await Promise.all([find(), find(), find()]);

    expect(found).toEqual(Array(3).fill(within('bin/redis-server')));
    expect(await calls('install')).toHaveLength(1);
    expect(await calls('update')).toHaveLength(0);
  });

  it('updates the package lists when apt-get does not know the package', async () => {
    await put(
      'apt-get',
      `${logCall()}
      case $* in
        *update*) : > ${within('lists')};;
        *install*) [ -f ${within('lists')} ] || exit 100; ${create('bin/redis-server')};;
      esac`,
    );

    expect(await find()).toBe(within('bin/redis-server'));
    expect(await calls('update')).toHaveLength(1);
  });

  it('does not wait for an installation that was killed', async () => {
    const { stdout: deadPid } = await run(process.execPath, ['-p', 'process.pid']);
    await symlink(deadPid.trim(), within(`redis-server-install-${userInfo().uid}.lock`));
    await put('apt-get', `case $* in *install*) ${create('bin/redis-server')};; esac`);

    expect(await find()).toBe(within('bin/redis-server'));
  });

  it('installs one with brew where there is no apt-get', async () => {
    await put('brew', `case $* in 'install redis') ${create('bin/redis-server')};; esac`);

    expect(await find()).toBe(within('bin/redis-server'));
  });

  it('builds one with redis-memory-server, once, where there is no package manager', async () => {
    await put(
      'npm',
      `${logCall()}
      mkdir -p "$3/node_modules/redis-memory-server"
      echo 'exports.RedisBinary = { getPath: async () => "${within('built')}" }' > "$3/node_modules/redis-memory-server/index.js"
      ${create('built')}`,
    );

    expect(await find()).toBe(within('node_modules/.cache/redis-server/redis-server'));
    expect(await find()).toBe(within('node_modules/.cache/redis-server/redis-server'));
    expect(await calls('redis-memory-server')).toHaveLength(1);
  });

  it('says what to do, and what was tried, when nothing works', async () => {
    await put(
      'apt-get',
      'case $* in *--version) ;; *) echo "E: Unable to locate package" >&2; exit 100;; esac',
    );
    await put(
      'npm',
      'echo "npm error code ENOTFOUND" >&2; echo "npm error A log can be found in …" >&2; exit 1',
    );

    await expect(find()).rejects.toThrow(
      'No Redis server here: install redis-server or valkey-server, or set REDIS_SERVER_BIN ' +
        '(apt-get: E: Unable to locate package; brew: spawn brew ENOENT; redis-memory-server: npm error code ENOTFOUND)',
    );
  });
});

/** What the finder finds on that machine. */
async function find(env: NodeJS.ProcessEnv = {}): Promise<string> {
  const finder = pathToFileURL(within('scripts/find-redis-server.mjs')).href;
  const script = `import { findRedisServer } from '${finder}'; process.stdout.write(await findRedisServer());`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: within('bin'), TMPDIR: machine, ...env },
  });
  return stdout;
}

async function put(tool: string, script: string): Promise<void> {
  await writeFile(within(`bin/${tool}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** Shell code that makes a server. */
function create(path: string): string {
  return `printf '#!/bin/sh\\n${REDIS}\\n' > ${within(path)}; chmod +x ${within(path)}`;
}

function logCall(): string {
  return `echo "$*" >> ${within('calls')}`;
}

async function calls(containing: string): Promise<string[]> {
  const log = await readFile(within('calls'), 'utf8');
  return log.split('\n').filter((call) => call.includes(containing));
}
