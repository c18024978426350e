import { execFile } from 'node:child_process';
import { lstat, mkdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const CACHE = fileURLToPath(new URL('../node_modules/.cache/redis-server/', import.meta.url));
const LINKED_SERVER = join(CACHE, 'redis-server');
const LOCK = join(tmpdir(), `redis-server-install-${process.getuid?.()}.lock`);
const LOCK_STALE_MS = 30 * 60_000;

const INSTALLERS = {
  'apt-get': installWithApt,
  brew: installWithBrew,
  'redis-memory-server': build,
};

export async function findRedisServer() {
  const named = process.env.REDIS_SERVER_BIN;
  if (!named) return (await installed()) ?? alone(async () => (await installed()) ?? install());
  const fault = await faultOf(named);
  if (fault) throw new Error(`REDIS_SERVER_BIN is ${named}, which does not run as a Redis server: ${fault}`);
  return named;
}

async function installed() {
  for (const look of [
    () => which('redis-server'),
    () => which('valkey-server'),
    () => LINKED_SERVER,
    disguised,
  ]) {
    const binary = await look();
    if (binary && !(await faultOf(binary))) return binary;
  }
  return undefined;
}

/**
 * `redis-check-rdb` is the server's own executable: it does what the name it is called by says. Debian ships it in
 * `redis-tools`, which starts no system service on port 6379, as the package `redis-server` does.
 */
async function disguised() {
  const executable = await which('redis-check-rdb');
  return executable && link(executable);
}

/** Renamed into place, because another process may be starting the server that is there. */
async function link(executable) {
  const draft = `${LINKED_SERVER}-${process.pid}`;
  await mkdir(CACHE, { recursive: true });
  await symlink(executable, draft);
  await rename(draft, LINKED_SERVER);
  return LINKED_SERVER;
}

async function which(name) {
  const { stdout } = await run('sh', ['-c', 'command -v "$0"', name]).catch(() => ({ stdout: '' }));
  return stdout.trim();
}

/** Why `binary` is no Redis server, or nothing when it is one. */
async function faultOf(binary) {
  try {
    const { stdout } = await run(binary, ['--version']);
    return /server v=/i.test(stdout) ? undefined : `its version is "${stdout.trim().split('\n', 1)}"`;
  } catch (error) {
    return reasonOf(error);
  }
}

async function install() {
  const refusals = [];
  for (const [name, attempt] of Object.entries(INSTALLERS)) {
    try {
      return await attempt();
    } catch (error) {
      refusals.push(`${name}: ${reasonOf(error)}`);
    }
  }
  throw new Error(
    `No Redis server here: install redis-server or valkey-server, or set REDIS_SERVER_BIN (${refusals.join('; ')})`,
  );
}

async function installWithApt() {
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const [command, ...prefix] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  const apt = (...args) => run(command, [...prefix, '-o', 'DPkg::Lock::Timeout=120', ...args]);
  const installTools = () => apt('install', '-y', '--no-install-recommends', 'redis-tools');

  await apt('--version');
  tell('installing redis-server with apt-get …');
  await installTools().catch(async () => {
    await apt('update');
    await installTools();
  });
  return justInstalled();
}

async function installWithBrew() {
  await run('brew', ['--version']);
  tell('installing redis-server with brew …');
  await run('brew', ['install', 'redis']);
  return justInstalled();
}

async function justInstalled() {
  const binary = await installed();
  if (!binary) throw new Error('installed it, and still there is no server on the PATH');
  return binary;
}

/** Fetched on demand: as a dependency it would download and compile Redis on every `npm ci`. */
async function build() {
  tell('building redis-server with redis-memory-server, which takes a few minutes …');
  await mkdir(CACHE, { recursive: true });
  await run('npm', [
    'install',
    '--prefix',
    CACHE,
    '--no-save',
    '--ignore-scripts',
    'redis-memory-server@^0.17.0',
  ]);
  const script = `require('redis-memory-server').RedisBinary.getPath({ downloadDir: '.' }).then(console.log)`;
  const { stdout } = await run(process.execPath, ['-e', script], {
    cwd: CACHE,
    env: { ...process.env, npm_config_strict_ssl: 'true' }, // or it accepts any certificate for what it compiles
  });
  return link(stdout.trim().split('\n').at(-1));
}

/** Keeps the workers of one test run, and two runs, from installing at the same time. */
async function alone(task) {
  while (!(await takeLock())) await sleep(500);
  try {
    return await task();
  } finally {
    await rm(LOCK, { force: true });
  }
}

/** The lock is a symbolic link to its holder's pid: made in one step, and readable by whoever finds it. */
async function takeLock() {
  try {
    await symlink(String(process.pid), LOCK);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (await isLockStale()) await rm(LOCK, { force: true });
    return false;
  }
}

async function isLockStale() {
  try {
    const { mtimeMs } = await lstat(LOCK);
    return Date.now() - mtimeMs > LOCK_STALE_MS || !isAlive(Number(await readlink(LOCK)));
  } catch {
    return false; // its holder has just let go of it
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The line that tells most: npm ends with where its log is, a stack trace with where it was thrown. */
function reasonOf(error) {
  const lines = (error.stderr || error.message).trim().split('\n');
  return lines.find((line) => /^(E|\w*Error|npm error):? /i.test(line)) ?? lines.at(-1);
}

function tell(line) {
  process.stderr.write(`${line}\n`);
}
